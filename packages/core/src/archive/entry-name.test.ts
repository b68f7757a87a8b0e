import { expect, test } from 'vitest'
import { safeEntryName } from './entry-name.ts'

test.each([
  ['./', 'directory', ''],
  ['.', 'directory', ''],
  ['tasks/', 'directory', 'tasks'],
  ['./tasks/data.mdb', 'file', 'tasks/data.mdb'],
  ['...', 'file', '...'],
  ['a/..b', 'file', 'a/..b'],
  ['größe', 'file', 'größe'],
] as const)('%j (%s) is %j', (raw, type, name) => {
  expect(safeEntryName(Buffer.from(raw), type)).toBe(name)
})

test('names are as long as they may be, and no longer', () => {
  const long = Array.from({ length: 4 }, () => 'x'.repeat(255)).join('/')
  expect(safeEntryName(Buffer.from(long), 'file')).toBe(long)
  const refused = { code: 'MEILI_HA_SNAPSHOT_UNSAFE' }
  expect(() => safeEntryName(Buffer.from(`${long}/y`), 'file')).toThrow(
    expect.objectContaining(refused),
  )
  expect(() => safeEntryName(Buffer.from('x'.repeat(256)), 'file')).toThrow(
    expect.objectContaining(refused),
  )
})

test('a name that is shown in an error cannot forge a line of a log', () => {
  expect(() => safeEntryName(Buffer.from('a\n"b\x1b'), 'file')).toThrow('"a\\n\\"b\\u001b"')
})
