/**
 * Rows as aligned columns, the first row being the heading. Numbers are for the caller to format.
 * Control characters are shown, not sent: what the store holds must not steer a terminal, nor forge a row.
 */
export function formatTable(table: readonly (readonly string[])[]): string {
  const rows = table.map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, escaped)))
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

const escaped = (character: string) => JSON.stringify(character).slice(1, -1)
