/** How often `want`, the directory and the guard are looked at. */
const TURN_MS = 250
/** The same, where nothing is under way and the kernel tells of a new `want`. */
const IDLE_TURN_MS = 1000
/** While the keeper waits for an answer: nobody can write meanwhile. */
const HURRIED_MS = 50

export interface BetweenTurns {
  /** A promotion or hand-over stands still until it is answered. */
  awaited: boolean
  decided: boolean
  /** A snapshot is being unpacked, or waits to be moved in. */
  preparing: boolean
  /** A swap of its own is near. */
  outOfRouting: boolean
  /** An empty beginning takes writes, and nothing on disk says so yet. */
  unwritten: boolean
  /** Meilisearch has yet to say what must be known of it. */
  asking: boolean
  /** Until the store is listed again. */
  untilListMs: number
}

/** How long to rest after a turn; `toldMs` while the kernel tells what the keeper writes. */
export function turnRest(between: BetweenTurns): { ms: number; toldMs: number } {
  const { awaited, decided, preparing, outOfRouting, unwritten, asking } = between
  if (awaited) return { ms: HURRIED_MS, toldMs: HURRIED_MS }
  const busy = !decided || preparing || outOfRouting || unwritten || asking
  if (busy) return { ms: TURN_MS, toldMs: TURN_MS }
  // What comes next comes from the keeper, or from the store's next list.
  const idleMs = Math.min(IDLE_TURN_MS, Math.ceil(between.untilListMs))
  return { ms: TURN_MS, toldMs: Math.max(TURN_MS, idleMs) }
}
