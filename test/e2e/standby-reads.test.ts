import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { has, write } from '../cluster/documents.ts'
import { lineageOf, type Member } from '../cluster/member.ts'
import { startWriter } from '../cluster/writer.ts'
import { settled, startTrial, type Trial } from '../faults/fault-table.ts'
import { haproxyVersion, startHaproxy } from '../router/haproxy.ts'
import { startSmallRouter } from '../router/small-router.ts'
import { eventsOf } from '../uploader/programs.ts'
import { metric, statusPrinted } from './ask.ts'
import { holds, setAside } from './disk.ts'
import { LONG, PATIENT } from './patience.ts'
import { startReader } from './reader.ts'

const startRouter = haproxyVersion() === undefined ? startSmallRouter : startHaproxy
if (startRouter === startSmallRouter) {
  console.warn('SKIPPED: HAProxy is not installed; a small router of the tests stands for it')
}

describe('a standby that serves reads', PATIENT, () => {
  let trial: Trial & AsyncDisposable
  beforeAll(async () => {
    const flags = { uploader: ['--every', '1s', '--max-duty', '100%'] }
    trial = await startTrial('L = 5 s, reads from a standby', { flags })
  })
  afterAll(() => trial[Symbol.asyncDispose]())

  const swaps = async (member: Member) =>
    (await metric(member, 'fetcher', 'meili_ha_fetcher_swaps_total{old="replaced"}')) ?? 0
  const status = () => statusPrinted(trial.cluster)

  test('swaps while a reader runs: no read through the router fails', async () => {
    const [, standby] = await settled(trial)
    await using router = await startRouter(trial.cluster.members)
    const writer = startWriter(trial.cluster.members)
    const before = await swaps(standby)
    await using reader = startReader(router.url)
    await until('three swaps', async () => (await swaps(standby)) >= before + 3, LONG)
    await writer.stop()
    console.info(`${reader.found.length} reads through ${router.name} during three swaps`)
    expect(reader.failures, router.said?.()).toEqual([])
    // Both members answered: what a standby shows is behind what the primary showed just before.
    expect(reader.found.some((hits, index) => hits < (reader.found[index - 1] ?? 0))).toBe(true)
    expect(trial.watch.violations).toEqual([])
  })

  test('a write sent to it is noticed, said with code and hint, and never lost or promoted', async () => {
    const [primary, standby] = await settled(trial)
    await until('nothing is being swapped', () => quiet(primary, standby), LONG)
    const sent = await standby.call('POST', '/indexes/books/documents?primaryKey=id', [{ id: -1 }])
    expect(sent.status).toBe(202)
    const { taskUid } = sent.body as { taskUid: number }
    const event = await until('it is noticed', () =>
      eventsOf(standby.parts.fetcher).find(({ event: name }) => name === 'follow.foreign_task'),
    )
    expect(event).toMatchObject({ level: 'error', uid: taskUid, code: 'MEILI_HA_STANDBY_WRITTEN' })
    expect(event['hint']).toContain('fetcher discard')
    expect(await metric(standby, 'fetcher', 'meili_ha_fetcher_foreign_task')).toBe(1)
    await until('status tells why it could not lead', async () =>
      (await status()).includes(`task ${taskUid} was written to this standby`),
    )
    expect(await has(primary, -1)).toBe(false)

    await write(primary, 1_000_000)
    await until('its next swap is made', () => has(standby, 1_000_000), LONG)
    expect(await has(standby, -1)).toBe(false)
    const [kept, ...more] = await setAside(standby)
    expect(more).toEqual([])
    expect(await holds(kept!, -1)).toBe(true)
    await until('it could lead again', async () => /^.*standby.*ready/m.test(await status()), LONG)
    expect(await metric(standby, 'fetcher', 'meili_ha_fetcher_foreign_task')).toBe(0)
  })

  /** The standby holds what was published last, and nothing more is due. */
  async function quiet(primary: Member, standby: Member): Promise<boolean> {
    const due = await primary.call('GET', '/tasks?statuses=enqueued,processing&limit=1')
    const lag = await metric(standby, 'fetcher', 'meili_ha_fetcher_lag_seconds')
    const count = async (member: Member) => (await member.call('GET', '/stats')).body
    const [a, b] = (await Promise.all([count(primary), count(standby)])) as Stats[]
    // Until it has read what came with the snapshot, nothing can be told from that.
    if (typeof (await lineageOf(standby))['lastTaskUid'] !== 'number') return false
    return (due.body as { total: number }).total === 0 && lag === 0 && documents(a) === documents(b)
  }
})

interface Stats {
  indexes: { books?: { numberOfDocuments: number } }
}

const documents = (stats: Stats | undefined) => stats?.indexes.books?.numberOfDocuments
