import { expect, test } from 'vitest'
import { formatTable } from './table.ts'

test('columns are aligned, and no cell can steer the terminal or begin a row', () => {
  const rows = [
    ['id', 'writer', ''],
    ['1', 'm\n2  forged', 'x'],
    ['3', '\u001b[2Jé', ''],
  ]
  expect(formatTable(rows)).toBe('id  writer\n1   m\\n2  forged  x\n3   \\u001b[2Jé\n')
})
