import { describe, expect, test } from 'vitest'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { followRoutes } from './follow-server.ts'
import type { Follower } from './follower.ts'

const healthy = { health: async () => {} }
const readyz = async (
  state: Partial<Sync> | undefined,
  { query = '', outOfRouting = false, meili = healthy } = {},
) => {
  const follower = { state, outOfRouting, lagSeconds: state?.lagSeconds ?? null } as Follower
  return followRoutes(follower, meili)['/readyz']?.(new URL(`http://localhost/readyz${query}`))
}

describe('/readyz', () => {
  test('readers may come once it is decided and Meilisearch answers', async () => {
    expect(await readyz({ decided: true })).toMatchObject({ status: 200 })
    expect(await readyz(undefined)).toMatchObject({ status: 503 })
    expect(await readyz({ decided: false, reason: 'no store' })).toEqual({
      status: 503,
      body: 'no store',
    })
    const meili = { health: () => Promise.reject(new Error('refused')) }
    expect(await readyz({ decided: true }, { meili })).toEqual({ status: 503, body: 'refused' })
  })

  test('readers go elsewhere while a swap is near', async () => {
    expect(await readyz({ decided: true }, { outOfRouting: true })).toMatchObject({ status: 503 })
  })

  test.each([
    ['?lag=60s', 60, 200],
    ['?lag=60s', 61, 503],
    ['?lag=60s', null, 503],
    ['?lag=much', 0, 503],
    ['', 9999, 200],
  ])('%s, %s s behind: %i', async (query, lagSeconds, status) => {
    expect(await readyz({ decided: true, lagSeconds }, { query })).toMatchObject({ status })
  })
})
