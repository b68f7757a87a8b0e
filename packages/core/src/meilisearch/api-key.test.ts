import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { apiKeySource } from './api-key.ts'

async function keyFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'meili-ha-test-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return join(dir, 'key')
}

test('a rotated key file is read again', async () => {
  const file = await keyFile()
  await writeFile(file, 'first\n')
  const source = apiKeySource({ file, value: 'ignored' })
  expect(await source()).toBe('first')
  await writeFile(file, 'second\n')
  expect(await source()).toBe('second')
})

test('a missing, empty or odd key file is a refusal that names the file and not the key', async () => {
  const file = await keyFile()
  const source = apiKeySource({ file })
  await expect(source()).rejects.toMatchObject({ code: 'MEILI_HA_MEILI_DENIED' })
  for (const text of ['', ' \n', 'two words', 'two\nlines', 'ümlaut']) {
    await writeFile(file, text)
    await expect(source()).rejects.toMatchObject({
      code: 'MEILI_HA_MEILI_DENIED',
      message: `${file} holds no key: one printable word is expected`,
    })
  }
})

test('a value is used as it is; none, or an empty one, means that no key is sent', async () => {
  expect(await apiKeySource({ value: 'secret\n' })()).toBe('secret')
  expect(await apiKeySource({ value: '' })()).toBeUndefined()
  expect(await apiKeySource({})()).toBeUndefined()
  expect(() => apiKeySource({ value: 'two words' })).toThrow('MEILI_HA_API_KEY holds no key')
})
