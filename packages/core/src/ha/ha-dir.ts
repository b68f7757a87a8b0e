import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type * as z from 'zod'

/** The files of `/ha`, one writer each (design section 5). */
export type HaFile =
  | 'permit'
  | 'data'
  | 'guard'
  | 'engine'
  | 'want'
  | 'sync.json'
  | 'published.json'
  | 'drain'
  | 'drained'
  | 'member'

/** Reads and writes the small files that the containers of one member share. */
export class HaDir {
  readonly path: string
  /** What each document said last, and what came of it: most looks find the same again. */
  readonly #parsed = new Map<HaFile, { text: string; schema: z.ZodType; value: unknown }>()

  constructor(path: string) {
    this.path = path
  }

  /**
   * The one line of a file, without its newline. Undefined when the file is absent.
   * The guard writes in place, so an empty or unterminated line is read again, a few times.
   */
  async readLine(file: HaFile): Promise<string | undefined> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const text = this.#read(file)
      if (text === undefined) return undefined
      const end = text.indexOf('\n')
      if (end > 0) return text.slice(0, end)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return undefined
  }

  /** A JSON document that fits `schema`, not to be changed; undefined when it is absent or doesn't fit. */
  async readJson<T>(file: HaFile, schema: z.ZodType<T>): Promise<T | undefined> {
    const text = this.#read(file)
    if (text === undefined) return undefined
    const last = this.#parsed.get(file)
    if (last?.text === text && last.schema === schema) return last.value as T | undefined
    const value = parse(text, schema)
    this.#parsed.set(file, { text, schema, value })
    return value
  }

  /** Replaces the file by rename, so that a reader sees the old or the new one whole. */
  async writeLine(file: HaFile, line: string): Promise<void> {
    const temporary = join(this.path, `.${file}.${randomUUID()}`)
    try {
      await writeFile(temporary, `${line}\n`)
      await rename(temporary, join(this.path, file))
    } catch (error) {
      // A full /ha must not be filled further by what was left half written.
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  async writeJson(file: HaFile, value: unknown): Promise<void> {
    await this.writeLine(file, JSON.stringify(value))
  }

  async remove(file: HaFile): Promise<void> {
    await rm(join(this.path, file), { force: true })
  }

  /**
   * At once, since it lies in memory: through the thread pool, the dozens of reads a second were most
   * of what an idle member took of a core.
   */
  #read(file: HaFile): string | undefined {
    try {
      return readFileSync(join(this.path, file), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

function parse<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
