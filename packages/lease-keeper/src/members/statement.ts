import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'

/** What a keeper says about its member, for `status`. No keeper decides anything by it. */
export const statementSchema = z.looseObject({
  member: z.string(),
  role: z.enum(['primary', 'standby', 'stopped']),
  /** The keeper's own phase. */
  phase: z.string(),
  epoch: z.number(),
  /** Id of the snapshot that the data directory holds. */
  snapshot: z.string().nullable(),
  /** When the making of that snapshot began, by the clock of who made it. */
  snapshotStartedAt: z.string().nullable().optional(),
  /** Milliseconds behind the primary; null = not known. */
  lagMs: z.number().nullable(),
  /** Why it couldn't be promoted now; null = it could. */
  notReady: z.string().nullable(),
  /** Why it doesn't take the lease, though it could be promoted; null = it leads, or is about to. */
  waits: z.string().nullable().optional(),
  /** Estimate of the write gap of a hand-over, milliseconds. */
  handoverMs: z.number().nullable().optional(),
  /** Its `--lease-duration`; null or absent = it keeps none, or doesn't say. */
  leaseDurationMs: z.number().nullable().optional(),
  /** The last promotion of this member: its epoch, when it was over, and the printed loss. */
  promoted: z
    .object({ epoch: z.number(), at: z.string(), lossMs: z.number().nullable() })
    .nullable(),
  /** ISO 8601, the member's own clock. */
  statedAt: z.string(),
})

export type Statement = z.infer<typeof statementSchema>

/** Where the members' statements live: beside the lease. */
export interface Statements {
  /** Replaces this member's own. */
  state(statement: Statement): Promise<void>
  /** Of every member that ever stated itself, by name; what can't be read is left out. */
  readAll(): Promise<Statement[]>
}

/** Centiseconds: `status` may be this much behind, so that idle members cost next to nothing. */
export const STATED_EVERY = 60_00
/** What a person waits for while looking at `status` is said sooner; a promotion is said as one. */
const NEWS_AT_MOST_EVERY = 2_00

/**
 * True a minute after the last time, even if there is nothing new: silence tells that a member is
 * gone. Two seconds after it, where something is new of who leads and who could. Centiseconds.
 */
export function isStatementDue(
  next: Statement,
  last: { statement: Statement; at: number } | undefined,
  now: number,
): boolean {
  if (!last) return true
  const { statement } = last
  if (!isDeepStrictEqual(newsOf(next), newsOf(statement))) {
    return now - last.at >= NEWS_AT_MOST_EVERY
  }
  return now - last.at >= STATED_EVERY
}

/** Milliseconds: two statements were missed, and a while more for one that is slow. */
const SILENT_AFTER = 150_000

/**
 * For how long a member has said nothing, milliseconds; null = not long enough to tell. Two clocks must
 * agree on it, that of who renews the lease and that of who asks: either alone may be wrong.
 */
export function silentMs(
  { statedAt }: Pick<Statement, 'statedAt'>,
  renewedAt: string | undefined,
  now: Date,
): number | null {
  if (renewedAt === undefined) return null
  const silent = Math.min(now.getTime(), Date.parse(renewedAt)) - Date.parse(statedAt)
  return silent > SILENT_AFTER ? silent : null
}

const newsOf = ({ role, phase, epoch, notReady, waits, handoverMs, promoted }: Statement) => ({
  role,
  phase,
  epoch,
  ready: notReady === null,
  waits,
  isHandoverKnown: handoverMs != null,
  promoted,
})

/** Undefined for what isn't a statement: written by hand, or by a version to come. */
export function parseStatement(text: string): Statement | undefined {
  try {
    return statementSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

export function byMember(statements: (Statement | undefined)[]): Statement[] {
  return statements
    .filter((statement) => statement !== undefined)
    .toSorted((a, b) => (a.member < b.member ? -1 : 1))
}
