import type { Logger } from 'pino'
import { messageOf } from '@meili-ha/core/errors.ts'
import { isStatementDue, type Statement, type Statements } from '../members/statement.ts'
import type { Keeper } from './keeper.ts'
import { statementOf } from './statement-of.ts'

/**
 * Says about this member what `status` shows, every minute and when who leads changes. Nothing is decided
 * by it, so a failure is only noted, and tried again a minute later.
 */
export class MemberStater {
  readonly #keeper: Keeper
  readonly #statements: Statements
  readonly #log: Logger
  #last: { statement: Statement; at: number } | undefined
  #busy = false

  constructor(keeper: Keeper, statements: Statements, log: Logger) {
    this.#keeper = keeper
    this.#statements = statements
    this.#log = log
  }

  /** Doesn't wait for the answer: a slow API server must not hold up the next tick. */
  tick(): void {
    const { boot } = this.#keeper.now
    const statement = statementOf(this.#keeper)
    if (this.#busy || !isStatementDue(statement, this.#last, boot)) return
    this.#busy = true
    this.#last = { statement, at: boot }
    this.#statements
      .state(statement)
      .catch((error: unknown) => {
        this.#log.debug({ event: 'statement.failed', why: messageOf(error) }, 'not stated')
      })
      .finally(() => {
        this.#busy = false
      })
  }
}
