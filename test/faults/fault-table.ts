import { expect } from 'vitest'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { until } from '../harness/until.ts'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { write } from '../cluster/documents.ts'
import type { Member, MemberOptions } from '../cluster/member.ts'
import { startWatch, type Term, type Watch } from './watch.ts'

interface Row {
  fault: string
  /** Seconds until the old Meilisearch was dead; `-` = it lived on. */
  stopped: string
  /** Seconds until another served as primary; `-` = nobody had to. */
  led: string
}

/** What each fault cost, printed when its file of tests is done. */
export class FaultTable {
  readonly #title: string
  readonly #rows: Row[] = []

  constructor(title: string) {
    this.#title = title
  }

  add(fault: string, from: number, stopped: number | undefined, led: number | undefined): void {
    const seconds = (at: number | undefined) =>
      at === undefined ? '-' : ((at - from) / 100).toFixed(2)
    this.#rows.push({ fault, stopped: seconds(stopped), led: seconds(led) })
  }

  print(): void {
    const lines = this.#rows.map(
      ({ fault, stopped, led }) => `${fault.padEnd(58)}${stopped.padStart(9)}${led.padStart(9)}`,
    )
    const head = `${this.#title.padEnd(58)}  stopped      led`
    console.log([head, ...lines].join('\n'))
  }
}

/** Before the renewals that are under way at the fault, and what a busy machine takes. */
const LIVENESS_MS = 45_000

/** Two or more members under watch. */
export interface Trial {
  cluster: Cluster
  watch: Watch
  table: FaultTable
}

type Each = (name: string) => Partial<MemberOptions>

/** Starts members whose standbys follow, so that they can take over. */
export async function startTrial(
  title: string,
  options: Partial<MemberOptions> = {},
  each: Each = () => ({}),
  count = 2,
): Promise<Trial & AsyncDisposable> {
  const trial = await openTrial(title, options, each)
  while (trial.cluster.members.length < count) await trial.cluster.add()
  await write(await trial.cluster.primary(LIVENESS_MS), 1)
  await settled(trial)
  return trial
}

/** The same without a member yet: a test adds them, and all are under watch from their first moment. */
export async function openTrial(
  title: string,
  options: Partial<MemberOptions> = {},
  each: Each = () => ({}),
): Promise<Trial & AsyncDisposable> {
  const flags = { uploader: ['--every', '2s', '--max-duty', '100%'], ...options.flags }
  const cluster = await startCluster(0, { ...options, flags }, each)
  const table = new FaultTable(title)
  const watching = startWatch(cluster.members)
  return {
    cluster,
    table,
    watch: watching,
    [Symbol.asyncDispose]: async () => {
      watching[Symbol.dispose]()
      await cluster[Symbol.asyncDispose]()
      table.print()
    },
  }
}

/** The primary and a standby, once all standbys serve: where each trial begins. */
export async function settled({ cluster }: Trial): Promise<[Member, Member]> {
  const primary = await cluster.primary(LIVENESS_MS)
  const others = cluster.members.filter((member) => member !== primary)
  await Promise.all(others.map((member) => cluster.standby(member, LIVENESS_MS)))
  return [primary, others[0]!]
}

/** The Meilisearch that runs under a primary permit. */
export function termOf({ watch }: Trial, member: Member): Term {
  watch.look()
  const term = watch.terms.findLast(({ member: name }) => name === member.name)
  if (term === undefined || term.until !== undefined) throw new Error(`${member.name} doesn't lead`)
  return term
}

/**
 * A fault that must end the primary's term: its Meilisearch is dead by the end of its permit and
 * another member leads in a later epoch (any member, where both are equally free to). Returns the new term.
 */
export async function failsOver(
  trial: Trial,
  name: string,
  primary: Member,
  befall: () => Promise<void> | void,
  to: 'another' | 'any' = 'another',
): Promise<Term> {
  const { watch, table, cluster } = trial
  const old = termOf(trial, primary)
  const from = systemBootClock.now()
  await befall()
  const next = await until(
    `a next epoch is led after: ${name}`,
    () =>
      watch.terms.find(
        ({ epoch, member }) => epoch > old.epoch && (to === 'any' || member !== primary.name),
      ),
    { timeoutMs: LIVENESS_MS },
  ).catch((error: unknown) => {
    throw new Error(cluster.members.map((member) => member.said()).join('\n'), { cause: error })
  })
  const leader = cluster.members.find((member) => member.name === next.member)!
  await until('its keeper says so', async () => (await leader.route('/primary')) === 200, {
    timeoutMs: LIVENESS_MS,
  })
  table.add(name, from, old.until, next.from)
  expect(watch.violations).toEqual([])
  return next
}

/** A fault that must not cost anything: the same Meilisearch goes on under the same epoch. */
export async function goesOn(
  trial: Trial,
  name: string,
  primary: Member,
  befall: () => Promise<void> | void,
): Promise<void> {
  const before = termOf(trial, primary)
  await befall()
  const after = termOf(trial, primary)
  trial.table.add(name, 0, undefined, undefined)
  expect({ epoch: after.epoch, pid: after.pid }).toEqual({ epoch: before.epoch, pid: before.pid })
  expect(trial.watch.violations).toEqual([])
}
