import { valueOf, type Row } from './recorder.ts'
import type { Column } from './scenario.ts'

/** How a column grew since the first row of the same way. */
export function growthColumn(of: Column, since: string): Column {
  return { name: `${of.name}, ${since}`, unit: 'x', digits: 2, derived: true }
}

/**
 * Works `growth` out for every row but the first of each way, and puts it into all its runs.
 * @param unitsOf the size of a row, by its `what`: growth is of what one unit costs
 */
export function addGrowth(
  rows: readonly Row[],
  of: Column,
  growth: Column,
  unitsOf: (what: string) => number = () => 1,
): void {
  for (const row of rows) {
    const first = rows.find(({ how }) => how === row.how)
    if (first === undefined || first === row) continue
    const [its, base] = [valueOf(row, of), valueOf(first, of)]
    if (its === undefined || !base) continue
    const value = its / unitsOf(row.what) / (base / unitsOf(first.what))
    row.runs = row.runs.map((run) => ({ ...run, [growth.name]: value }))
  }
}
