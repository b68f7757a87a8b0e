import { afterEach, beforeEach, expect, test } from 'vitest'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { startServer, type RunningServer } from '@meili-ha/core/telemetry/server.ts'
import type { Keeper } from './keeper.ts'
import { keeperMetrics } from './keeper-metrics.ts'
import { keeperRoutes } from './routes.ts'

type Role = 'primary' | 'standby' | 'swapping' | 'unhealthy' | 'stopped'

/** A keeper as the routes see it. */
function keeperAs(role: Role, lagSeconds: number | null = 5): Keeper {
  const primary = role === 'primary'
  const epoch = 3
  const permit = { role: primary ? 'primary' : role === 'stopped' ? 'stop' : 'standby', epoch }
  const swap = role === 'swapping' ? { id: 'x', since: 0, told: false } : null
  const keeper = {
    settings: { lease: 'shared', timing: { termAt: 900 }, standby: 'warm', member: 'm1' },
    now: { boot: 1000, wall: '2026-01-02T03:04:05.678Z' },
    waits: null,
    lastPromotion: null,
    state: {
      phase: primary
        ? { name: 'primary', hold: { epoch, sentAt: 900 } }
        : { name: 'standby', swap },
      lease: { highest: epoch },
      permit: { permit },
      beat: { state: role === 'stopped' ? 'stopped' : 'running', permit },
      health: { healthy: role !== 'unhealthy' },
      sync: { lagSeconds, holds: null, reason: null },
      published: null,
    },
  }
  return keeper as unknown as Keeper
}

let server: RunningServer
let keeper: Keeper | undefined
let away: MeiliHaError | undefined
beforeEach(async () => {
  keeper = keeperAs('standby')
  away = undefined
  const routes = keeperRoutes(
    () => keeper,
    () => away,
  )
  const { registry } = keeperMetrics()
  server = await startServer({ listen: { host: '127.0.0.1', port: 0 }, registry, routes })
})
afterEach(() => server.close())

const ask = (path: string, method = 'GET') =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { method })
const statusOf = async (path: string, method?: string) => (await ask(path, method)).status

const ROUTES = ['/primary', '/replica', '/standby', '/read-only', '/health', '/healthz']

test.each<[Role, number[]]>([
  ['primary', [200, 503, 503, 200, 200, 200]],
  ['standby', [503, 200, 200, 200, 200, 200]],
  ['swapping', [503, 503, 503, 503, 200, 200]],
  ['unhealthy', [503, 503, 503, 503, 503, 200]],
  ['stopped', [503, 503, 503, 503, 503, 200]],
])('a member that is %s answers as Patroni would, to GET, HEAD and OPTIONS', async (role, all) => {
  keeper = keeperAs(role)
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    expect(await Promise.all(ROUTES.map((route) => statusOf(route, method)))).toEqual(all)
  }
})

test('while its lease is being opened it is well, and sends nobody anywhere', async () => {
  keeper = undefined
  expect(await Promise.all(ROUTES.map((route) => statusOf(route)))).toEqual([
    ...Array<number>(5).fill(503),
    200,
  ])
  expect(await statusOf('/readyz')).toBe(503)
  expect(await statusOf('/status')).toBe(503)
})

test('and says why that lasts', async () => {
  keeper = undefined
  away = new MeiliHaError('STORE_UNREACHABLE', 'nobody answers')
  expect(await (await ask('/readyz')).text()).toBe('nobody answers\n')
  expect(await (await ask('/status')).json()).toEqual({
    program: 'lease-keeper',
    phase: 'starting',
    failed: { code: away.code, message: 'nobody answers', hint: away.hint },
  })
})

test('?lag= takes a standby that is close enough, and none whose lag is not known', async () => {
  expect(await statusOf('/replica?lag=5s')).toBe(200)
  expect(await statusOf('/read-only?lag=5s')).toBe(200)
  expect(await statusOf('/replica?lag=4s')).toBe(503)
  expect(await statusOf('/replica?lag=soon')).toBe(400)
  keeper = keeperAs('standby', null)
  expect(await statusOf('/replica?lag=1h')).toBe(503)
  expect(await statusOf('/replica')).toBe(200)
})

test('?lag= takes no standby that has seen nothing of the store for longer', async () => {
  const sync = { lagSeconds: 0, listsEvery: 10 }
  Object.assign(keeper!.state, { sync: { ...sync, listedAt: 500 } })
  expect(await statusOf('/replica?lag=4s')).toBe(200)
  Object.assign(keeper!.state, { sync: { ...sync, listedAt: 400 } })
  expect(await statusOf('/replica?lag=4s')).toBe(503)
  expect(await statusOf('/replica?lag=6s')).toBe(200)
  expect(await statusOf('/replica')).toBe(200)
})

test('/readyz waits for the data, but not for what nobody has published yet', async () => {
  const starting = (waitsForFirst: boolean | undefined) => {
    keeper = keeperAs('stopped')
    const sync = { decided: false, waitsForFirst } as Keeper['state']['sync']
    const phase = { name: 'starting', since: 0, resume: null, renewedAt: null } as const
    Object.assign(keeper.state, { phase, sync })
  }
  expect(await statusOf('/readyz')).toBe(200)
  starting(undefined)
  expect(await statusOf('/readyz')).toBe(503)
  starting(false)
  expect(await statusOf('/readyz')).toBe(503)
  // Else the standbys of a new cluster were never Ready until somebody writes: no --wait would end.
  starting(true)
  expect(await statusOf('/readyz')).toBe(200)
})

test('no verb changes anything', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    expect(await statusOf('/primary', method)).toBe(405)
  }
})

test('/status is what the member states, /metrics has each label before its first event', async () => {
  expect(await (await ask('/status')).json()).toMatchObject({
    program: 'lease-keeper',
    member: 'm1',
    role: 'standby',
    epoch: 3,
  })
  const metrics = await (await ask('/metrics')).text()
  for (const line of [
    'meili_ha_lease_keeper_promotions_total{outcome="failed"} 0',
    'meili_ha_lease_keeper_handovers_total{outcome="released"} 0',
    'meili_ha_lease_keeper_leases_lost_total 0',
    'meili_ha_lease_keeper_phase{phase="primary"} 0',
  ]) {
    expect(metrics).toContain(line)
  }
})
