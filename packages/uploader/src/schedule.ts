/** What `--every` knows when it decides; times in milliseconds of one monotonic clock. */
export interface ScheduleState {
  /**
   * When Meilisearch began the last snapshot, or while that isn't known, when it was asked for;
   * undefined = never by this process.
   */
  beganAt: number | undefined
  /** How long it worked at the last one. */
  costMs: number
  /** In which it was; see SchedulerOptions. */
  term: string | undefined
  /** Newest task that isn't a snapshot, and the one at the last asking. */
  newestTask: number | undefined
  newestTaskThen: number | undefined
}

export interface SchedulePolicy {
  everyMs: number
  /** Share of the time that may be spent on snapshots: Meilisearch doesn't index while it makes one. */
  maxDuty: number
}

/** How soon a change is noticed; one request on loopback. */
const CHECK_MS = 5000

export type ScheduleDecision = { ask: true } | { ask: false; waitMs: number }

/** Whether there are tasks that the last snapshot was not asked for at. */
export function hasChanged({ newestTask, newestTaskThen }: ScheduleState): boolean {
  return newestTask !== undefined && newestTask !== newestTaskThen
}

/**
 * Whether to ask Meilisearch for a snapshot now. Not when nothing changed
 * since the last; not sooner than `everyMs`, nor than what keeps snapshots below `maxDuty` of the
 * time: an interval shorter than a snapshot takes starves indexing.
 */
export function decideSnapshot(
  state: ScheduleState,
  policy: SchedulePolicy,
  now: number,
): ScheduleDecision {
  const restMs = Math.max(policy.everyMs, state.costMs / policy.maxDuty)
  const dueAt = (state.beganAt ?? Number.NEGATIVE_INFINITY) + restMs
  if (now < dueAt) return { ask: false, waitMs: dueAt - now }
  if (!hasChanged(state)) return { ask: false, waitMs: Math.min(policy.everyMs, CHECK_MS) }
  return { ask: true }
}
