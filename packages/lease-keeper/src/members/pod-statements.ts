import type { Pods } from '../kubernetes/pods.ts'
import { byMember, parseStatement, type Statement, type Statements } from './statement.ts'

/** Statements as an annotation of each member's own pod: they go with it. */
export class PodStatements implements Statements {
  readonly #pods: Pods

  constructor(pods: Pods) {
    this.#pods = pods
  }

  async state(statement: Statement): Promise<void> {
    await this.#pods.annotateOwn(JSON.stringify(statement))
  }

  async readAll(): Promise<Statement[]> {
    const pods = await this.#pods.list()
    return byMember(pods.map(({ statement }) => parseStatement(statement)))
  }
}
