import { messageOf } from '@meili-ha/core/errors.ts'
import type { Column, Values } from './scenario.ts'

/** One way to do one thing, with all its runs. */
export interface Row {
  what: string
  how: string
  /** Meili-ha itself: the others are compared with it. */
  ours?: boolean
  runs: Values[]
  /** Why there are none, or not all. */
  note?: string
  failed?: boolean
}

/** Characters of a failure that are said. */
const MOST_SAID = 4000

type Name = Pick<Row, 'what' | 'how' | 'ours'>

/** Collects what a scenario measures, and says each run as it comes. */
export class Recorder {
  readonly rows: Row[] = []
  readonly #columns: readonly Column[]
  readonly #say: (text: string) => void

  constructor(columns: readonly Column[], say: (text: string) => void) {
    this.#columns = columns
    this.#say = say
  }

  add(name: Name, values: Values): void {
    this.#row(name).runs.push(values)
    const shown = this.#columns
      .filter((column) => values[column.name] !== undefined)
      .map((column) => `${column.name} ${formatValue(values[column.name], column)}`)
    this.#say(`${name.what}, ${name.how}: ${shown.join(', ')}`)
  }

  skip(name: Name, why: string): void {
    this.#row(name).note = `skipped: ${why}`
    this.#say(`SKIPPED: ${name.what}, ${name.how}: ${why}`)
  }

  /** Measures once; a failure is a note in the table, so that what others do is still measured. */
  async attempt(name: Name, measure: () => Promise<Values>): Promise<void> {
    const row = this.#row(name)
    // It would fail again, and take its time.
    if (row.failed) return
    try {
      this.add(name, await measure())
    } catch (error) {
      row.failed = true
      const [first = '', ...rest] = messageOf(error).trim().split('\n')
      row.note = `failed: ${[first, rest.at(-1)].filter(Boolean).join(' … ').slice(0, 200)}`
      this.#say(`FAILED: ${name.what}, ${name.how}: ${lastOf(messageOf(error))}`)
    }
  }

  #row({ what, how, ours = false }: Name): Row {
    const found = this.rows.find((row) => row.what === what && row.how === how)
    if (found) return found
    const row: Row = { what, how, ours, runs: [] }
    this.rows.push(row)
    return row
  }
}

/** Its last lines: a message may carry all that a program logged in minutes. */
export function lastOf(message: string): string {
  return message.length <= MOST_SAID ? message : `… ${message.slice(-MOST_SAID)}`
}

export function formatValue(value: number | undefined, { unit, digits = 1 }: Column): string {
  return value === undefined || Number.isNaN(value) ? '' : `${value.toFixed(digits)} ${unit}`
}

/** The middle one; of two, the mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** What stands for all runs of a row; undefined when none has it. */
export function valueOf(row: Row, column: Column): number | undefined {
  const values = row.runs.map((run) => run[column.name]).filter((value) => value !== undefined)
  if (values.length === 0) return undefined
  return column.of === 'highest' ? Math.max(...values) : median(values)
}
