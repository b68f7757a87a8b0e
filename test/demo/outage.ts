import type { Done } from './workload.ts'

/** The longest time in which nobody was answered (milliseconds, wall clock). */
export interface Outage {
  /** The last answer before it. */
  from: number
  /** The first after it. */
  until: number
}

/** The longest gap between two answers that reaches beyond `since`, whoever got them. */
export function longestOutage(done: readonly Done[], since: number): Outage | undefined {
  const answers = done.filter(({ ok }) => ok).map(({ at }) => at)
  let longest: Outage | undefined
  for (const [index, from] of answers.entries()) {
    const until = answers[index + 1]
    if (until === undefined || until <= since) continue
    if (!longest || until - from > longest.until - longest.from) longest = { from, until }
  }
  return longest
}
