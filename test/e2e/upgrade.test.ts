import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { which } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { leaseIn, leaseKeeper } from '../cluster/keeper-cli.ts'
import type { Engine, Member } from '../cluster/member.ts'
import { idsIn, startWriter, type Writer } from '../cluster/writer.ts'
import { settled, startTrial, type Trial } from '../faults/fault-table.ts'
import { statusRow } from './ask.ts'
import { LONG, PATIENT } from './patience.ts'

const NEW: Engine = {}
const old = process.env['MEILISEARCH_BIN_OLD']
const OLD: Engine = old ? { bin: old } : { env: { STAND_IN_VERSION: '1.49.0' } }
const oneReal = Boolean(process.env['MEILISEARCH_BIN']) !== Boolean(old)
if (oneReal) {
  console.warn('SKIPPED: an upgrade needs both MEILISEARCH_BIN and MEILISEARCH_BIN_OLD, or neither')
}
const STAND_IN = '1.50.0'
const versionOf = ({ bin, env }: Engine): string =>
  env?.['STAND_IN_VERSION'] ?? which(bin).split(' ')[1] ?? STAND_IN

describe.skipIf(oneReal)('an upgrade of one member at a time', PATIENT, () => {
  let trial: Trial & AsyncDisposable
  let writer: Writer
  beforeAll(async () => {
    const flags = { uploader: ['--every', '1s', '--max-duty', '100%'] }
    trial = await startTrial('L = 5 s, upgrade', { flags, engine: OLD })
    writer = startWriter(trial.cluster.members)
  })
  afterAll(() => trial[Symbol.asyncDispose]())

  const runs = async (member: Member) =>
    ((await member.call('GET', '/version')).body as { pkgVersion: string }).pkgVersion
  const lease = () => leaseIn(trial.cluster.storeUrl)
  const rowOf = ({ name }: Member) => statusRow(trial.cluster, name)

  /** What a new image does to a member: everything is started anew, `/ha` is empty. */
  async function upgrade(member: Member): Promise<void> {
    await member.powerOff()
    await member.install(NEW)
    await member.powerOn()
    await trial.cluster.standby(member, 45_000)
  }

  test('first the standby: it runs the new version on a restored copy, and could lead', async () => {
    const [primary, standby] = await settled(trial)
    expect(await runs(primary)).toBe(versionOf(OLD))
    // As on a plain host, where nothing else needs to be started anew: its fetcher runs on.
    await standby.install(NEW)
    await standby.restart('guard')
    await until('the new one runs', async () => (await runs(standby)) === versionOf(NEW), LONG)
    await trial.cluster.standby(standby, 45_000)
    await until('it could lead', async () => (await rowOf(standby)).includes(' ready '), LONG)
    expect(trial.watch.violations).toEqual([])
  })

  test('then the switch-over: no acknowledged write is lost, and the old version never opens the new data', async () => {
    const [former, next] = await settled(trial)
    const asked = await leaseKeeper(['switchover', ...lease(), '--to', next.name])
    expect(asked).toMatchObject({ code: 0 })
    const before = writer.acknowledged.length
    await until('the writer goes on', () => writer.acknowledged.length > before + 20, LONG)
    await until(
      'the old one says which version it needs',
      async () => (await rowOf(former)).includes(versionOf(NEW)),
      LONG,
    )
    expect(await runs(former)).toBe(versionOf(OLD))
    expect(trial.watch.violations).toEqual([])
  })

  test('then the former primary: it follows, and both hold every acknowledged write', async () => {
    const next = await trial.cluster.primary()
    const former = trial.cluster.members.find((member) => member !== next)!
    await upgrade(former)
    expect(await runs(former)).toBe(versionOf(NEW))
    await writer.stop()
    for (const member of [next, former]) {
      const missing = async () => {
        const there = await idsIn(member)
        return writer.acknowledged.filter((id) => !there.has(id))
      }
      await until(
        `${member.name} has them all`,
        async () => (await missing()).length === 0,
        LONG,
      ).catch(async (cause: unknown) => {
        throw new Error(`${member.name} lacks ${(await missing()).join(' ')}`, { cause })
      })
    }
    console.info(`${writer.acknowledged.length} writes, longest gap ${writer.longestGapMs()} ms`)
    expect(trial.watch.violations).toEqual([])
  })
})
