import { setTimeout as sleep } from 'node:timers/promises'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import type { Member } from '../cluster/member.ts'
import { which } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { haproxyVersion, startHaproxy } from '../router/haproxy.ts'
import { startSmallRouter } from '../router/small-router.ts'
import { BREAKAGES, type Kill } from './breakage.ts'
import { idle, loadDocuments } from './documents.ts'
import { formatMoment, timeline } from './timeline.ts'
import { Workload } from './workload.ts'

export interface ClusterDemoOptions {
  kill: Kill
  documents: number
  bin: string | undefined
  keep: boolean
}

const say = (text: string) => process.stdout.write(`${text}\n`)

/**
 * Two members and a router; a writer and a searcher go on while the primary is broken. Returns
 * whether it healed, and lost no more than it may: nothing, where the hand-over was planned.
 */
export async function clusterDemo(options: ClusterDemoOptions): Promise<boolean> {
  const { kill, documents, bin, keep } = options
  const breakage = BREAKAGES[kill]
  say(`Meilisearch: ${which(bin)}${bin ? '' : ' (set MEILISEARCH_BIN for a real one)'}`)
  say('lease: in the store, --lease-duration 5s (15s is the default)')
  await using cluster = await startCluster(2, {
    flags: { uploader: ['--every', '2s', '--max-duty', '50%'] },
    ...(bin ? { bin } : {}),
  })
  const old = await cluster.primary(60_000)
  const next = cluster.members.find((member) => member !== old) as Member
  await using router = await (haproxyVersion() ? startHaproxy : startSmallRouter)(cluster.members)
  say(`router: ${router.name}`)
  say(`- ${old.name} leads; adding ${documents} documents`)
  await loadDocuments(old, documents)
  await cluster.standby(next, 60_000)
  await until('the standby follows', async () => (await countOf(next)) >= documents, {
    timeoutMs: 60_000,
  })
  say(`- ${next.name} follows; clients write and search through the router`)
  const work = new Workload(router.url, documents)
  await until('some writes', () => work.acknowledged.length >= 40, { timeoutMs: 30_000 })

  say(`- now: ${breakage.what}`)
  const struckAt = Date.now()
  await breakage.strike(old, cluster)
  const leader = breakage.expected(old, next)
  await until(
    `${leader.name} takes writes`,
    () => work.writes.some(({ at, ok }) => ok && at > struckAt + 500) && leads(leader),
    { timeoutMs: 60_000 },
  )
  await sleep(1000)
  say(`- ${leader.name} leads; the broken part comes back`)
  await breakage.heal(old)
  if (leader !== old) await cluster.standby(old, 60_000)
  await work.stop()
  const lost = await lostWrites(leader, work)
  say(`\n${formatTable(timeline(cluster.members, work, struckAt).map(formatMoment))}`)
  const { acknowledged, searches } = work
  const failed = searches.filter(({ ok }) => !ok).length
  say(`writes acknowledged: ${acknowledged.length}, of them lost: ${lost.length}`)
  say(`searches: ${searches.length}, of them failed: ${failed}`)
  if (lost.length > 0) say('Lost: what came after the newest published snapshot (see README).')
  if (keep) await keepRunning(cluster, router.url)
  return lost.length === 0 || kill === 'member' || kill === 'freeze'
}

async function leads(member: Member): Promise<boolean> {
  return (await member.route('/primary')) === 200
}

async function countOf(member: Member): Promise<number> {
  const { body } = await member.call('GET', '/indexes/books/documents?limit=0')
  return (body as { total?: number }).total ?? 0
}

/** Reads every acknowledged document back. */
async function lostWrites(leader: Member, { acknowledged }: Workload): Promise<number[]> {
  await idle(leader)
  const found = new Set<number>()
  const first = Math.min(...acknowledged)
  const all = await leader.call('GET', '/indexes/books/documents?limit=1000000&fields=id')
  for (const { id } of (all.body as { results: { id: number }[] }).results) {
    if (id >= first) found.add(id)
  }
  return acknowledged.filter((id) => !found.has(id))
}

async function keepRunning(cluster: Cluster, routerUrl: string): Promise<void> {
  say(`\nIt goes on until Ctrl-C. Router: ${routerUrl}`)
  for (const { name, url, keeperUrl } of cluster.members)
    say(`${name}: ${url}, keeper ${keeperUrl}`)
  say(`pnpm lease-keeper status --cluster test --lease store --store ${cluster.storeUrl}`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
  })
}
