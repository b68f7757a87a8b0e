import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a keeper in a pod never loads @kubernetes/client-node: it costs more memory than all else', () => {
  const root = join(import.meta.dirname, '..')
  const importers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .filter((path) =>
      /^import (?!type)[^;]*?from '@kubernetes\/client-node/m.test(
        readFileSync(join(root, path), 'utf8'),
      ),
    )
  expect(importers).toEqual([])
})
