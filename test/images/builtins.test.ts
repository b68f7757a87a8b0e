import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { builtins } from '../../docker/builtins.ts'
import { tempDir } from '../harness/temp-dir.ts'

/** Bundles `files` as the programs are bundled, runs `main.mjs` of them, and gives what it exports. */
async function run(files: Record<string, string>): Promise<{ exports: unknown; code: string }> {
  await using dir = await tempDir()
  await mkdir(join(dir.path, 'out'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir.path, name), text)
  const { outputFiles } = await build({
    absWorkingDir: dir.path,
    entryPoints: ['main.mjs'],
    outfile: join(dir.path, 'out/main.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    plugins: [builtins],
    write: false,
  })
  const code = outputFiles[0]!.text
  const path = join(dir.path, 'out/main.mjs')
  await writeFile(path, code)
  return { exports: { ...(await import(path)) }, code }
}

test.each([
  ['a named import', `import { join } from 'node:path'; export const is = join('a', 'b')`],
  ['one without node:', `import { join } from 'path'; export const is = join('a', 'b')`],
  ['a default import', `import path from 'node:path'; export const is = path.join('a', 'b')`],
  ['a namespace', `import * as path from 'node:path'; export const is = path.join('a', 'b')`],
  ['import()', `export const is = (await import('node:path')).join('a', 'b')`],
  [
    'a name that is a keyword',
    `import { default as path } from 'path'; export const is = path.join('a', 'b')`,
  ],
])("Node's own modules come with %s", async (_name, text) => {
  expect((await run({ 'main.mjs': text })).exports).toEqual({ is: 'a/b' })
})

test('and with export * and require', async () => {
  const { exports } = await run({
    'all.mjs': `export * from 'node:path'`,
    'old.cjs': `module.exports = require('path').basename('a/b')`,
    'lazy.cjs': `module.exports = typeof require('node:https').request`,
    'main.mjs': `
      import { join } from './all.mjs'
      import old from './old.cjs'
      import lazy from './lazy.cjs'
      export const is = [join('a', 'b'), old, lazy]`,
  })
  expect(exports).toEqual({ is: ['a/b', 'b', 'function'] })
})

test('what nobody imports is not read', async () => {
  const { code } = await run({
    'main.mjs': `import { inspect } from 'node:util'; export const is = inspect(1)`,
  })
  expect(code).not.toContain('TextDecoder')
  expect(code).not.toContain('getOwnPropertyNames(')
})
