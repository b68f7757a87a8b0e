import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startProxy, type Proxy } from '../harness/proxy.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { has, reaches, write } from '../cluster/documents.ts'
import { failsOver, settled, startTrial, type Trial } from '../faults/fault-table.ts'
import { kubeWays } from '../faults/kube-cluster.ts'
import { startInProcessWorld } from '../kube/in-process-world.ts'
import { flipBit } from '../s3-server/faults.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { cliOf, eventsOf, manifestsIn } from '../uploader/programs.ts'
import { metric } from './ask.ts'
import { holds, setAside } from './disk.ts'
import { LONG, PATIENT } from './patience.ts'

/** The lease is an API server's, which goes on: it is the snapshots alone that are in trouble. */
describe('a failover while the store is in trouble', PATIENT, () => {
  const stack = new AsyncDisposableStack()
  let trial: Trial & AsyncDisposable
  let server: S3Server
  let store: Proxy
  let env: Record<string, string>
  beforeAll(async () => {
    const world = stack.use(await startInProcessWorld())
    const ways = stack.use(await kubeWays(await world.newSite(), ['m1', 'm2']))
    server = stack.use(await startS3Server())
    store = stack.use(await startProxy(Number(new URL(server.endpoint).port)))
    env = { ...environmentOf(server), AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${store.port}` }
    const storeUrl = `s3://${server.bucketName}/some/prefix`
    trial = await startTrial('L = 5 s, store in trouble', { storeUrl, env }, ways.options)
    stack.use(trial)
  })
  afterAll(() => stack.disposeAsync())
  // One that failed left something stopped or cut; what comes next must not pay for it.
  beforeEach(async () => {
    store.heal()
    for (const member of trial.cluster.members) {
      const parts = Object.values(member.parts)
      parts.forEach((part) => part.thaw())
      if (parts.every((part) => part.running())) continue
      await member.powerOff()
      await member.powerOn()
    }
  })

  let id = 10

  const manifests = () => manifestsIn(storeOn(server))
  async function fetcher(...args: string[]): Promise<{ code: number | null; output: string }> {
    const common = ['--store', trial.cluster.storeUrl, '--log-format', 'json']
    const command = [process.execPath, cliOf('fetcher'), ...args, ...common]
    await using child = startProcess({ command, env })
    const { code } = await child.exited
    return { code, output: child.output() }
  }

  test('damaged newest snapshot: the next older good one is taken, and the damage is told', async () => {
    const [primary, standby] = await settled(trial)
    const held = ++id
    await reaches(primary, standby, held)
    const [good] = await manifests()
    await standby.parts.fetcher.freeze()
    const lost = ++id
    await write(primary, lost)
    const newest = await until(
      'what the standby does not have is published',
      async () => (await manifests()).find((one) => one.id > good!.id),
      LONG,
    )
    await primary.stop('uploader')
    const key = `some/prefix/${newest.object!.key}`
    server.bucket.objects.get(key)!.body = flipBit(server.bucket.get(key).body)

    const next = await failsOver(trial, 'damaged newest snapshot', primary, async () => {
      await primary.powerOff()
      standby.parts.fetcher.thaw()
    })
    const claim = (await manifests()).find(({ epoch, seq }) => epoch === next.epoch && seq === 0)
    expect(claim?.claim?.of).toBe(good!.id)
    expect(await has(standby, held)).toBe(true)
    expect(await has(standby, lost)).toBe(false)
    const damaged = 'meili_ha_fetcher_restores_total{outcome="damaged"}'
    expect(await metric(standby, 'fetcher', damaged)).toBeGreaterThan(0)
    const verified = await fetcher('verify', newest.id)
    expect(verified.code).not.toBe(0)
    expect(verified.output).toContain(newest.id)

    await primary.powerOn()
    await trial.cluster.standby(primary, 45_000)
    const [kept] = await setAside(primary)
    expect(await holds(kept!, lost)).toBe(true)
  })

  test('store outage: nobody leads until it answers, reads go on, then all that was published is there', async () => {
    const [primary, standby] = await settled(trial)
    const before = ++id
    await reaches(primary, standby, before)
    const terms = trial.watch.terms.length
    await failsOver(trial, 'store outage for two leases', primary, async () => {
      store.partition('refuse')
      await primary.powerOff()
      await standby.parts.keeper.waitFor(
        /the store does not answer.*not_standing|promotion_failed/,
        30_000,
      )
      // What must not happen has no condition to wait on: twice the lease duration.
      await new Promise((resolve) => setTimeout(resolve, 10_000))
      trial.watch.look()
      expect(trial.watch.terms).toHaveLength(terms)
      expect(await standby.route('/primary')).toBe(503)
      expect(await has(standby, before)).toBe(true)
      store.heal()
    })
    expect(await has(standby, before)).toBe(true)
    await write(standby, ++id)
    await primary.powerOn()
    await settled(trial)
  })

  test('store outage: the member that led may lead again, and publishes nothing before its claim', async () => {
    const [primary, standby] = await settled(trial)
    const published = ++id
    await reaches(primary, standby, published)
    const before = (await manifests()).length
    const next = await failsOver(
      trial,
      'reboot of the primary, store and standby away',
      primary,
      async () => {
        store.partition('refuse')
        await Promise.all([standby.powerOff(), primary.powerOff()])
        await primary.powerOn()
      },
      'any',
    )
    expect(next.member).toBe(primary.name)
    expect(eventsOf(primary.parts.keeper).map(({ event }) => event)).toContain('keeper.unclaimed')
    expect(await has(primary, published)).toBe(true)
    const unpublished = ++id
    await write(primary, unpublished)
    expect(await manifests()).toHaveLength(before)

    store.heal()
    await standby.powerOn()
    await trial.cluster.standby(standby, 45_000)
    await until('the standby follows', () => has(standby, unpublished), LONG)
    const ofTerm = (await manifests()).filter(({ epoch }) => epoch >= next.epoch)
    expect(ofTerm.at(-1)).toMatchObject({ seq: 0, writer: primary.name })
    expect(trial.watch.violations).toEqual([])
  })
})
