import { existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a `data.mdb` of the stand-in holds; undefined when a real Meilisearch wrote it. */
export function readJournal(path: string): unknown[] | undefined {
  if (!existsSync(path)) return []
  const bytes = readFileSync(path)
  if (bytes.length > 0 && bytes[0] !== 0x7b) return undefined
  // Damaged lines are skipped, not noticed: Meilisearch too serves what is left of flipped bits.
  return bytes
    .toString()
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
}

/** A file of JSON lines. What `append` returned from survives kill -9: the kernel has it. */
export class Journal {
  readonly #fd: number

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true })
    // A line that a kill cut short must not swallow the next one.
    const torn = existsSync(path) && !readFileSync(path).toString().endsWith('\n')
    this.#fd = openSync(path, 'a', 0o644)
    if (torn) writeSync(this.#fd, '\n')
  }

  append(line: unknown): void {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`)
  }
}
