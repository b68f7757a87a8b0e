import { describe, expect, it } from 'vitest'
import { openStore } from './open-store.ts'
import { storeOptionsFromEnv } from './store-options.ts'

const problem = (act: () => unknown) => {
  try {
    return void act()
  } catch (error) {
    return error as { code: string; message: string; hint: string }
  }
}

describe('openStore', () => {
  it.each([
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/', 's3://bucket'],
    ['s3://my.bucket/some/prefix/', 's3://my.bucket/some/prefix'],
    ['file:///var/lib/store/', 'file:///var/lib/store'],
    ['file:///with%20space', 'file:///with%20space'],
  ])('opens %s as %s', (url, shown) => {
    const store = openStore(url)
    expect(store.url).toBe(shown)
    store.close()
  })

  it.each([
    '',
    'bucket/prefix',
    '/var/lib/store',
    'https://bucket.s3.amazonaws.com',
    's3://',
    's3://bucket/a//b',
    's3://bucket/../b',
    's3://bucket?x=1',
    'file://host/dir',
    'file://dir',
  ])('refuses %j with a hint', (url) => {
    expect(problem(() => openStore(url))).toMatchObject({
      code: 'MEILI_HA_USAGE',
      hint: expect.stringContaining('--store s3://'),
    })
  })

  it('never repeats a password that was put into the URL', () => {
    for (const url of [
      's3://AKID:hunter2@bucket/x',
      'https://u:hunter2@host',
      'file://u:hunter2@h/x',
    ]) {
      expect(problem(() => openStore(url))?.message).not.toContain('hunter2')
    }
  })

  it('refuses options that do not fit together', () => {
    const options = { sse: 'AES256', sseKmsKeyId: 'key' } as const
    expect(problem(() => openStore('s3://bucket', options))?.code).toBe('MEILI_HA_USAGE')
  })
})

describe('storeOptionsFromEnv', () => {
  it('prefers the endpoint that is for S3 alone', () => {
    const env = {
      AWS_ENDPOINT_URL: 'http://all',
      AWS_ENDPOINT_URL_S3: 'http://s3',
      AWS_REGION: 'x',
    }
    expect(storeOptionsFromEnv(env)).toEqual({ endpoint: 'http://s3', region: 'x' })
  })
})
