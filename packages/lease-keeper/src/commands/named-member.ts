import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration } from '@meili-ha/core/cli/units.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { LeaseRecord } from '../lease/lease.ts'
import { silentMs, type Statements } from '../members/statement.ts'

/** A member that has just become ready says so within two seconds. */
const PATIENCE_MS = 5000
const POLL_MS = 500

/** The primary would stop for a name that nobody bears, or a member that is gone, and nobody would take over. */
export async function mustBeMember(
  from: Statements,
  record: LeaseRecord,
  name: string,
): Promise<void> {
  const statements = await from.readAll()
  const found = statements.find(({ member }) => member === name)
  const silent = found && silentMs(found, record.renewedAt, new Date())
  if (silent != null) {
    const what = `${name} has said nothing for ${formatDuration(silent)}: nothing was asked for`
    throw new MeiliHaError('REQUEST_FAILED', what, {
      hint: `Start its lease-keeper (or correct its clock, or upgrade one that speaks only of news); \`lease-keeper status\` shows it within a minute.`,
    })
  }
  if (found) return
  const members = statements.map(({ member }) => member)
  throw new MeiliHaError('REQUEST_FAILED', `there is no member ${name}: nothing was asked for`, {
    hint: `Those that have stated themselves: ${members.join(', ') || 'none'}.`,
  })
}

/** And where the one that bears it can't lead, writes would wait until the old primary may stand again. */
export async function mustBeReady(
  statements: Statements,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const found = (await statements.readAll()).find(({ member }) => member === name)
    const why = found?.notReady ?? null
    if (why === null) return
    if (performance.now() >= until) {
      throw new MeiliHaError(
        'REQUEST_FAILED',
        `${name} is not ready: nothing was asked for: ${why}`,
      )
    }
    await sleep(POLL_MS, undefined, { signal })
  }
}
