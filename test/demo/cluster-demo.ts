import { setTimeout as sleep } from 'node:timers/promises'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import type { Member } from '../cluster/member.ts'
import { startWatch } from '../faults/watch.ts'
import { which } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { BREAKAGES, type Kill } from './breakage.ts'
import { emptyPrefix } from './storage.ts'
import type { CleanUp } from './clean-up.ts'
import { loadDocuments } from './documents.ts'
import { failedSince, failoverTable } from './failover-table.ts'
import { keepRunning } from './keep-running.ts'
import { lostWrites } from './lost-writes.ts'
import { startScene, type SceneOptions } from './scene.ts'
import { after, Story } from './story.ts'
import { Workload } from './workload.ts'

export interface ClusterDemoOptions extends Omit<SceneOptions, 'flags' | 'partition'> {
  kill: Kill
  documents: number
  keep: boolean
}

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** A snapshot every 2 s, so that little is lost; a swap less often, as it takes reads off a standby. */
const FLAGS = {
  uploader: ['--every', '2s', '--max-duty', '50%'],
  fetcher: ['--swap-every', '10s'],
}

const HEALS = { timeoutMs: 60_000 }

/**
 * Two members and a router; a writer and a searcher go on while the primary is broken. Returns
 * whether it healed, and lost no more than it may: nothing, where the hand-over was planned.
 */
export async function clusterDemo(options: ClusterDemoOptions, cleanUp: CleanUp): Promise<boolean> {
  const { kill, documents, bin, keep } = options
  const breakage = BREAKAGES[kill]
  say(`Meilisearch: ${which(bin)}${bin ? '' : ' (set MEILISEARCH_BIN for a real one)'}`)
  await using scene = await startScene({
    ...options,
    flags: FLAGS,
    partition: kill === 'partition',
  })
  const { cluster, router } = scene
  if (options.store) cleanUp.before(() => emptyPrefix(cluster.storeUrl))
  scene.parts.forEach(say)

  const old = await cluster.primary(HEALS.timeoutMs)
  const next = cluster.members.find((member) => member !== old) as Member
  say(`- ${old.name} leads; adding ${documents} documents`)
  await loadDocuments(old, documents)
  await cluster.standby(next, HEALS.timeoutMs)
  await until('the standby has them', async () => (await countOf(next)) >= documents, HEALS)
  say(`- ${next.name} follows; clients write and search through the router`)

  let struckAt = Date.now()
  const live = ({ at, what }: { at: number; what: string }) =>
    say(`  ${after(at, struckAt).padEnd(8)} ${what}`)
  using watch = startWatch(cluster.members)
  const work = new Workload(router.url, 1, {
    onTurn: (verb, ok, at) => live({ at, what: `clients: ${verb} ${ok ? 'answered' : 'refused'}` }),
  })
  await until('some writes', () => work.acknowledged.length >= 40, HEALS)

  say(`- now: ${breakage.what}`)
  using story = new Story(cluster.members, live)
  struckAt = Date.now()
  const said = await breakage.strike(old, scene)
  if (said) say(said.trimEnd().replace(/^/gm, '    '))
  const leader = breakage.movesOn ? next : old
  const again = () => work.writes.some(({ at, ok }) => ok && at > struckAt + 500)
  await until(`${leader.name} takes writes`, async () => again() && leads(leader), HEALS)
  // What was under way elsewhere while it changed hands shows too.
  await sleep(1000)
  if (breakage.movesOn) {
    say(`- ${leader.name} leads; ${old.name} comes back`)
    await breakage.heal(old, scene)
    await cluster.standby(old, HEALS.timeoutMs)
    story.add({ at: Date.now(), what: `${old.name} serves reads again`, step: 'rejoined' })
  }
  await work.stop()
  story.look()
  const lost = await lostWrites(leader, work.acknowledged)
  const struck = { at: struckAt, old: old.name, movesOn: breakage.movesOn }
  say(`\n${formatTable(failoverTable(struck, story, work, watch.terms))}`)
  const { acknowledged, searches, writes } = work
  say(`writes acknowledged: ${acknowledged.length}, of them lost: ${lost.length}`)
  say(
    `writes refused: ${failedSince(writes, 0)}; of ${searches.length} searches failed: ${failedSince(searches, 0)}`,
  )
  const never = watch.violations.length === 0
  say(never ? 'At no instant two members led.' : `BROKEN PROMISE: ${watch.violations.join('; ')}`)
  if (lost.length > 0) say('Lost: what came after the newest published snapshot (see README).')
  if (keep) await keepRunning(scene, cleanUp)
  return never && (lost.length === 0 || breakage.mayLose)
}

async function leads(member: Member): Promise<boolean> {
  return (await member.route('/primary')) === 200
}

async function countOf(member: Member): Promise<number> {
  const { body } = await member.call('GET', '/indexes/books/documents?limit=0')
  return (body as { total?: number }).total ?? 0
}
