import type { Store } from '@meili-ha/core/store/store.ts'
import { isError } from '@meili-ha/core/errors.ts'
import { byMember, parseStatement, type Statement, type Statements } from './statement.ts'

const FOLDER = 'members/'

/** Statements as `members/<member>.json` in the store. */
export class StoreStatements implements Statements {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async state(statement: Statement): Promise<void> {
    const key = `${FOLDER}${encodeURIComponent(statement.member)}.json`
    await this.#store.put(key, `${JSON.stringify(statement, null, 2)}\n`)
  }

  async readAll(): Promise<Statement[]> {
    const objects = await this.#store.list(FOLDER)
    return byMember(await Promise.all(objects.map(({ key }) => this.#read(key))))
  }

  async #read(key: string): Promise<Statement | undefined> {
    try {
      return parseStatement((await this.#store.get(key)).body.toString())
    } catch (error) {
      if (isError(error, 'STORE_NOT_FOUND')) return undefined
      throw error
    }
  }
}
