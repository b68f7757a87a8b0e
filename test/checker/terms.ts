import { only, type Entry, type TermSeen } from './history.ts'

/** Terms are looked at 50 times a second, and by a process that has other things to do. */
export const LOOK_MS = 250

/** An answer of a member. */
interface Answered {
  member: string
  invoked: number
  completed: number
}

/** The epochs in which a member may have led while it answered; none = it led in none. */
export type EpochsOf = (answered: Answered) => readonly number[]

export function epochsOf(entries: readonly Entry[]): EpochsOf {
  const terms = Map.groupBy(only(entries, 'term'), ({ member }) => member)
  return ({ member, invoked, completed }) =>
    (terms.get(member) ?? [])
      .filter(({ from, until }) => from - LOOK_MS <= completed && (until ?? Infinity) >= invoked)
      .map(({ epoch }) => epoch)
}

/** Whether the design promises nothing about a member at some moment of an interval. */
export type Excused = (member: string, from: number, until: number) => boolean

/** Thawed, a guard needs a tick and the time that Meilisearch takes to die. */
const THAW_MS = 3000

export function excusedIn(entries: readonly Entry[]): Excused {
  const faults = only(entries, 'fault').filter(({ excused }) => excused)
  return (member, from, until) =>
    faults.some(
      (fault) => fault.member === member && fault.from <= until && fault.until + THAW_MS >= from,
    )
}

/** Two terms that have a moment in common. */
export function* overlaps(terms: readonly TermSeen[]): Generator<[TermSeen, TermSeen]> {
  const sorted = terms.toSorted((a, b) => a.from - b.from)
  for (const [index, first] of sorted.entries()) {
    for (const second of sorted.slice(index + 1)) {
      // One look reads the members one after the other.
      if (second.from + 30 >= (first.until ?? Infinity)) continue
      if (first.member !== second.member) yield [first, second]
    }
  }
}
