import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { timingFor } from '@meili-ha/lease-keeper/timing.ts'
import { startProxy, type Proxy } from '../harness/proxy.ts'
import type { Fault } from '../s3-server/faults.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { failsOver, goesOn, settled, startTrial, type Trial } from './fault-table.ts'
import type { Member } from '../cluster/member.ts'
import { searchOn } from './open-connection.ts'

const { killAt, takeover } = timingFor(5000)

/** A guard's tick. */
const TOLERANCE = 25

/** One member's own way to the bucket that all share. */
interface Way {
  server: S3Server
  proxy: Proxy
}

describe('a primary cut off from the lease in a bucket', () => {
  const ways = new Map<string, Way>()
  let trial: Trial & AsyncDisposable
  const wayOf = (member: Member): Way => ways.get(member.name)!

  beforeAll(async () => {
    const first = await startS3Server()
    const second = await startS3Server({ bucket: first.bucket })
    for (const [name, server] of Object.entries({ m1: first, m2: second })) {
      ways.set(name, { server, proxy: await startProxy(Number(new URL(server.endpoint).port)) })
    }
    const storeUrl = `s3://${first.bucketName}/cluster`
    trial = await startTrial('L = 5 s, lease in a bucket', { storeUrl }, (name) => {
      const { server, proxy } = ways.get(name)!
      const AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${proxy.port}`
      return { env: { ...environmentOf(server), AWS_ENDPOINT_URL_S3 } }
    })
  })
  afterAll(async () => {
    await trial[Symbol.asyncDispose]()
    for (const { server, proxy } of ways.values()) {
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    }
  })

  /** Everything that this fault must do, and that the member follows once it is over. */
  async function isReplaced(
    name: string,
    cut: (way: Way) => void,
    heal: (way: Way) => void,
  ): Promise<void> {
    const [primary] = await settled(trial)
    using client = searchOn(primary)
    let cutAt = 0
    await failsOver(trial, name, primary, () => {
      cutAt = systemBootClock.now()
      cut(wayOf(primary))
    })
    await client.died
    expect(client.answers).toBeGreaterThan(0)
    // The last renewal that succeeded was sent before the cut.
    expect(client.lastAnswerAt).toBeLessThanOrEqual(cutAt + killAt + TOLERANCE)
    heal(wayOf(primary))
    await trial.cluster.standby(primary, 45_000)
  }

  test.each(['refuse', 'black-hole', 'trickle'] as const)(
    'is dead by kill-at, its open connections too: %s',
    (how) =>
      isReplaced(
        `partition: ${how}`,
        ({ proxy }) => proxy.partition(how),
        ({ proxy }) => proxy.heal(),
      ),
  )

  test.each<[string, Fault]>([
    ['500s', { kind: 'status', status: 500, code: 'InternalError' }],
    ['answers that stop half-way', { kind: 'hang-in-body' }],
    ['403s', { kind: 'status', status: 403, code: 'AccessDenied' }],
  ])('is dead by kill-at, its open connections too: %s', (name, fault) =>
    isReplaced(
      name,
      ({ server }) => server.faults.add(fault, { times: Infinity, key: /lease\.json$/ }),
      ({ server }) => server.faults.clear(),
    ),
  )

  test('goes on while its standby is cut off, which serves on and takes nothing', async () => {
    const [primary, standby] = await settled(trial)
    const { proxy } = wayOf(standby)
    await goesOn(trial, 'partition of the standby', primary, async () => {
      proxy.partition('black-hole')
      await goneBy(1.5 * takeover)
      expect((await standby.call('GET', '/health')).status).toBe(200)
      proxy.heal()
    })
  })

  test('goes on when the keeper of its standby wakes after L, and believes what it saw', async () => {
    const [primary, standby] = await settled(trial)
    await goesOn(trial, "SIGSTOP the standby's keeper for longer than L", primary, async () => {
      await standby.parts.keeper.freeze()
      await goneBy(1.2 * takeover)
      standby.parts.keeper.thaw()
      await trial.cluster.standby(standby, 45_000)
    })
  })

  const conflict: Fault = { kind: 'status', status: 412, code: 'PreconditionFailed' }
  const renewals = { op: 'PutObject', key: /lease\.json$/ }

  test('reads the record at a conflict, and goes on while it names it', async () => {
    const [primary] = await settled(trial)
    const { faults, requests } = wayOf(primary).server
    await goesOn(trial, '412 three times over', primary, async () => {
      const before = requests.length
      faults.add(conflict, { ...renewals, times: 3 })
      await goneBy(1.5 * killAt)
      const refused = requests.slice(before).filter(({ status }) => status === 412)
      expect(refused).toHaveLength(3)
    })
  })

  test('is dead by kill-at when the conflicts never end', () =>
    isReplaced(
      '412 storm',
      ({ server }) => server.faults.add(conflict, { ...renewals, times: Infinity }),
      ({ server }) => server.faults.clear(),
    ))
})

/** Lets so many centiseconds of boot time pass: what must *not* happen has no condition to wait on. */
function goneBy(centiseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, centiseconds * 10))
}
