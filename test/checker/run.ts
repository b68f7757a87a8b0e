import { writeFile } from 'node:fs/promises'
import { Random } from '../chaos/random.ts'
import type { Member } from '../cluster/member.ts'
import { startWatch, type Watch } from '../faults/watch.ts'
import { check, type Verdict } from './check.ts'
import { Nemesis } from './nemesis.ts'
import { Observer } from './observer.ts'
import { readUntil } from './reader-client.ts'
import { Recorder } from './recorder.ts'
import { pause } from './routing.ts'
import { settle } from './settle.ts'
import { Supervisor } from './supervisor.ts'
import { startSite, type Site, type SiteOptions } from './site.ts'
import { writeUntil, type Register } from './writer-client.ts'

export interface ChaosOptions extends Omit<SiteOptions, 'kind'> {
  store: SiteOptions['kind']
  seed: number
  durationMs: number
  leaseMs: number
  /** The lag that the read route asks for. */
  lagMs: number
  /** Names of the faults to choose from; all unless told. */
  faults?: readonly string[] | undefined
  /** Where the history goes; beside it, on a violation, what the programs said. */
  historyFile: string
  keep: boolean
  /** For the cluster to begin, and to heal in the end. */
  patienceMs?: number
  signal?: AbortSignal
  say?: (text: string) => void
}

const PROGRESS_MS = 5000
/** On a busy machine, with a few elections in a row. */
const PATIENCE_MS = 120_000

/** A cluster, its clients and a nemesis for a time; then all is healed, and the history is judged. */
export async function runChaos(options: ChaosOptions): Promise<Verdict> {
  const { store: kind, seed, durationMs, leaseMs, lagMs, historyFile, say = () => {} } = options
  await using site = await startSite({ ...options, kind })
  const members = site.cluster.members
  const names = members.map(({ name }) => name)
  const recorder = new Recorder(historyFile, { seed, members: names, leaseMs, lagMs })
  let verdict: Verdict | undefined
  try {
    using watching = startWatch(members)
    await endure(options, site, recorder, watching, durationMs, say)
    for (const term of watching.terms) {
      const until = term.until === undefined ? null : recorder.fromBoot(term.until)
      const { member, epoch } = term
      recorder.add({ kind: 'term', member, epoch, from: recorder.fromBoot(term.from), until })
    }
    for (const what of watching.violations.filter(isNew())) {
      recorder.add({ kind: 'seen', at: recorder.now(), what })
    }
    for (const member of members) recordPromotions(member, recorder)
    verdict = check(recorder.entries)
    return verdict
  } finally {
    // A run that was interrupted has nothing to show.
    const bad = verdict ? verdict.violations.length > 0 : options.signal?.aborted !== true
    if (bad) await writeFile(`${historyFile}.log`, members.map((m) => m.said()).join('\n'))
    await recorder.close(bad || options.keep)
  }
}

async function endure(
  options: ChaosOptions,
  site: Site,
  recorder: Recorder,
  watching: Watch,
  durationMs: number,
  say: (text: string) => void,
): Promise<void> {
  const { seed, leaseMs, lagMs, faults } = options
  const { members } = site.cluster
  const clients = new AbortController()
  const looking = new AbortController()
  const observer = new Observer(site.store, recorder)
  const supervisor = new Supervisor(members)
  const observing = Promise.all([
    observer.watchUntil(looking.signal),
    supervisor.superviseUntil(looking.signal),
  ])
  try {
    await site.cluster.primary(PATIENCE_MS)
    const registers: Register[] = [{ name: 'w1-r0' }, { name: 'w2-r0' }]
    const working = Promise.all([
      ...registers.map((register, index) =>
        writeUntil(clients.signal, `w${index + 1}`, members, recorder, register, {
          everyMs: 60,
          reconnectAfter: index === 0 ? Infinity : 20,
        }),
      ),
      ...['c1', 'c2'].map((client, index) => {
        const random = new Random(seed + index + 1)
        const pace = { everyMs: 60, lagMs }
        return readUntil(clients.signal, client, members, recorder, registers, random, pace)
      }),
    ])
    await Promise.all(
      members.map(async (member) => {
        if ((await member.route('/primary')) !== 200)
          await site.cluster.standby(member, PATIENCE_MS)
      }),
    )
    const end = AbortSignal.any([
      AbortSignal.timeout(durationMs),
      ...(options.signal ? [options.signal] : []),
    ])
    const random = new Random(seed)
    const nemesis = new Nemesis({
      site,
      watch: watching,
      observer,
      supervisor,
      recorder,
      random,
      leaseMs,
      faults,
    })
    const progress = setInterval(() => {
      say(progressLine(recorder, watching, nemesis))
    }, PROGRESS_MS)
    try {
      await nemesis.strikeUntil(end)
      // Healed: clients go on, for what only they would notice.
      await pause(leaseMs, options.signal ?? clients.signal)
    } finally {
      clearInterval(progress)
      clients.abort()
      await working
    }
    options.signal?.throwIfAborted()
    say('all is healed; waiting until every member holds the same')
    const { held, trouble } = await settle(site, options.patienceMs ?? PATIENCE_MS)
    for (const [member, ids] of held) recorder.add({ kind: 'final', member, ids })
    if (trouble !== undefined) {
      recorder.add({ kind: 'seen', at: recorder.now(), what: `it doesn't heal: ${trouble}` })
    }
    watching.look()
  } finally {
    clients.abort()
    looking.abort()
    await observing
  }
}

/** The watch looks 50 times a second, and says each time how long something has lasted. */
function isNew(): (what: string) => boolean {
  const known = new Set<string>()
  return (what) => known.size < known.add(what.replace(/ \d+ cs /, ' ')).size
}

function progressLine({ entries }: Recorder, { terms }: Watch, nemesis: Nemesis): string {
  const count = { ok: 0, unknown: 0, refused: 0, read: 0 }
  for (const entry of entries) {
    if (entry.kind === 'write') count[entry.outcome] += 1
    if (entry.kind === 'read') count.read += 1
  }
  const leads = terms.findLast(({ until }) => until === undefined)
  const who = leads ? `${leads.member} leads in epoch ${leads.epoch}` : 'nobody leads'
  const faults = [...nemesis.now].map(([whom, what]) => `${what} (${whom})`).join(' + ')
  return `${who}; ${count.ok} writes, ${count.read} reads; ${faults || 'nothing out of order'}`
}

function recordPromotions(member: Member, recorder: Recorder): void {
  const events = member
    .said()
    .split('\n')
    .filter((line) => line.includes('"keeper.promoted"'))
  for (const line of events) {
    const { epoch, lossMs } = JSON.parse(line) as { epoch: number; lossMs: number | null }
    recorder.add({ kind: 'promoted', member: member.name, epoch, lossMs })
  }
}
