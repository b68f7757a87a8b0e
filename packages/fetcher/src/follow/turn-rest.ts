/** How often `want`, the directory and the guard are looked at. */
const TURN_MS = 250
/** The same, where nothing is under way and the kernel tells of a new `want`. */
const IDLE_TURN_MS = 1000
/** While the keeper waits for an answer: nobody can write meanwhile. */
const HURRIED_MS = 50

export interface BetweenTurns {
  /** A promotion or hand-over stands still until it is answered. */
  awaited: boolean
  /** What comes next comes from the keeper, or from the store's next list. */
  idle: boolean
  /** Until the store is listed again. */
  untilListMs: number
}

/** How long to rest after a turn; `toldMs` while the kernel tells what the keeper writes. */
export function turnRest({ awaited, idle, untilListMs }: BetweenTurns): {
  ms: number
  toldMs: number
} {
  const ms = awaited ? HURRIED_MS : TURN_MS
  const isLonger = idle && !awaited
  return { ms, toldMs: isLonger ? Math.max(ms, Math.min(IDLE_TURN_MS, untilListMs)) : ms }
}
