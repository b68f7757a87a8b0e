import { formatValue, valueOf, type Row } from './recorder.ts'
import type { Column, Goal, Scenario } from './scenario.ts'

/** A table in Markdown: what stands for all runs, the spread, and how ours compares with each. */
export function tableOf({ columns }: Scenario, rows: readonly Row[]): string {
  const compared = columns.filter(({ ratio }) => ratio)
  const heads = [
    ...['what', 'how'],
    ...columns.map(({ name }) => name),
    ...compared.map(({ name }, i) => (i === 0 ? `ours / this: ${name}` : name)),
  ]
  const lines = rows.map((row) => {
    const cells = columns.map((column) => cellOf(row, column))
    if (row.note !== undefined) cells[0] = [cells[0], row.note].filter(Boolean).join('; ')
    return [row.what, row.how, ...cells, ...compared.map((column) => ratioOf(row, rows, column))]
  })
  return markdown([heads, ...lines])
}

export interface Verdict {
  text: string
  measured: string
  /** Undefined = it wasn't measured. */
  met: boolean | undefined
  hard: boolean
}

/** Every goal, once for each `what` that it was measured with. */
export function verdictsOf(
  { name, columns, goals = [] }: Scenario,
  rows: readonly Row[],
): Verdict[] {
  return goals.flatMap((goal) => {
    const column = columns.find((one) => one.name === goal.column)
    if (!column) throw new Error(`${name} has no column ${goal.column}`)
    return rows
      .filter((row) => row.how === goal.how && (goal.what ?? row.what) === row.what)
      .filter((row) => !column.derived || valueOf(row, column) !== undefined)
      .map((row) => judge(goal, column, name, row, rows))
  })
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const word = (met: boolean | undefined) =>
    met === undefined ? 'not measured' : met ? 'yes' : 'NO'
  return markdown([
    ['goal', 'measured', 'met'],
    ...verdicts.map(({ text, measured, met }) => [text, measured, word(met)]),
  ])
}

function judge(
  { against, most, how, hard }: Goal,
  column: Column,
  scenario: string,
  row: Row,
  rows: readonly Row[],
): Verdict {
  const ours = valueOf(row, column)
  const limit = against === undefined ? formatValue(most, column) : `${most} of ${against}`
  const text = `${scenario} ${row.what}, ${how}: ${column.name} <= ${limit}`
  const other = rows.find((one) => one.what === row.what && one.how === against)
  const divisor = against === undefined ? 1 : other && valueOf(other, column)
  if (ours === undefined || divisor === undefined) {
    return { text, measured: '', met: undefined, hard: hard ?? false }
  }
  const value = ours / divisor
  const measured = against === undefined ? formatValue(value, column) : value.toFixed(2)
  return { text, measured, met: value <= most, hard: hard ?? false }
}

function cellOf(row: Row, column: Column): string {
  const shown = formatValue(valueOf(row, column), column)
  if (!column.spread || row.runs.length < 2) return shown
  const values = row.runs.map((run) => run[column.name] ?? NaN)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${shown} (${low.toFixed(column.digits ?? 1)} to ${high.toFixed(column.digits ?? 1)})`
}

function ratioOf(row: Row, rows: readonly Row[], column: Column): string {
  const ours = rows.find((one) => one.ours && one.what === row.what)
  if (row.ours || !ours) return ''
  const [mine, its] = [valueOf(ours, column), valueOf(row, column)]
  return mine === undefined || its === undefined ? '' : (mine / its).toFixed(2)
}

function markdown([heads = [], ...lines]: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
