import type { Term } from '../faults/watch.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { longestOutage } from './outage.ts'
import { after, type Moment, type Story } from './story.ts'
import { STEPS, type Step } from './told-events.ts'
import type { Done, Workload } from './workload.ts'

export interface Struck {
  at: number
  /** The name of the primary that was broken. */
  old: string
  /** Whether another member had to take over. */
  movesOn: boolean
}

/** A row per step, from the last write that was acknowledged to the return of the old primary. */
export function failoverTable(
  struck: Struck,
  story: Story,
  work: Workload,
  terms: readonly Term[],
): string[][] {
  const rows: Partial<Record<Step, string[]>> = {}
  const put = (step: Step, at: number, what: string) => {
    rows[step] = [STEPS[step], after(at, struck.at), what]
  }
  for (const step of Object.keys(STEPS) as Step[]) {
    const moment = story.find(step, struck.at)
    if (moment) put(step, moment.at, moment.what)
    else rows[step] = [STEPS[step], '-', why(step, struck)]
  }
  const stopped = stoppedAt(struck, terms)
  if (stopped) put('stopped', stopped.at, stopped.what)
  const writes = longestOutage(work.writes, struck.at)
  if (writes) {
    put('lastWrite', writes.from, 'through the router')
    put('firstWrite', writes.until, `longest time without: ${gap(writes)}`)
  }
  const searches = longestOutage(work.searches, struck.at)
  if (searches && failedSince(work.searches, struck.at) > 0) {
    put('firstSearch', searches.until, `longest time without: ${gap(searches)}`)
  } else rows.firstSearch = [STEPS.firstSearch, '-', 'no search failed']
  return [['step', 'after the fault', 'what'], ...Object.values(rows)]
}

export function failedSince(done: readonly Done[], since: number): number {
  return done.filter(({ at, ok }) => !ok && at >= since).length
}

/** When its process was seen dead: what the guard merely says of itself isn't believed. */
function stoppedAt({ at, old }: Struck, terms: readonly Term[]): Moment | undefined {
  const now = systemBootClock.now()
  for (const { member, pid, until } of terms) {
    if (member !== old || until === undefined) continue
    const seenAt = Date.now() - (now - until) * 10
    if (seenAt >= at) return { at: seenAt, what: `process ${pid} of ${old} seen dead` }
  }
  return undefined
}

function why(step: Step, { movesOn }: Struck): string {
  if (step === 'rejoined' && !movesOn) return 'it never left'
  return movesOn ? 'not seen' : 'the same member goes on'
}

const gap = ({ from, until }: { from: number; until: number }) =>
  `${((until - from) / 1000).toFixed(1)} s`
