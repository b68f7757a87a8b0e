import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = join(ROOT, 'packages')

/** Every source file of the packages, tests left out, with what it imports. */
const sources = readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[^/]+\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
  .map((path) => {
    const text = readFileSync(join(PACKAGES, path), 'utf8')
    return { path, program: path.split('/')[0] as string, text, imports: importsOf(path, text) }
  })

/** Imported files (relative to packages/) and bare module names. Type-only imports don't run. */
function importsOf(path: string, text: string): string[] {
  const found: string[] = []
  for (const match of text.matchAll(
    /^(?:import|export)\s(?!type\b)[^;]*?from '([^']+)'|import\('([^']+)'\)/gms,
  )) {
    const name = (match[1] ?? match[2]) as string
    if (name.startsWith('.')) {
      found.push(relative(PACKAGES, resolve(PACKAGES, dirname(path), name)))
    } else if (name.startsWith('@meili-ha/')) {
      const [, program, ...rest] = name.split('/')
      found.push(`${program}/src/${rest.join('/')}`)
    } else {
      found.push(name)
    }
  }
  return found
}

function cyclesIn(graph: Map<string, string[]>): string[] {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (node: string, trail: string[]) => {
    if (trail.includes(node)) cycles.push([...trail.slice(trail.indexOf(node)), node].join(' -> '))
    else if (!done.has(node)) {
      for (const next of graph.get(node) ?? []) visit(next, [...trail, node])
      done.add(node)
    }
  }
  for (const node of graph.keys()) visit(node, [])
  return cycles
}

describe('the architecture', () => {
  test('there is something to check', () => {
    expect(new Set(sources.map((source) => source.program))).toEqual(
      new Set(['core', 'uploader', 'fetcher', 'lease-keeper']),
    )
  })

  test('core imports no program, and no program imports another', () => {
    const wrong = sources.flatMap(({ path, program, imports }) =>
      imports
        .filter((name) => /^[^/]+\/src\//.test(name))
        .filter((name) => !name.startsWith(`${program}/`) && !name.startsWith('core/'))
        .map((name) => `${path} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  test('only cli.ts touches the process', () => {
    const wrong = sources
      .filter(({ path }) => !path.endsWith('/cli.ts'))
      .filter(
        ({ text, imports }) =>
          /(?<![\w.'"`/-])process\.\w/.test(withoutComments(text)) ||
          imports.includes('node:process'),
      )
      .map(({ path }) => path)
    expect(wrong).toEqual([])
  })

  test('no file imports itself through others', () => {
    expect(cyclesIn(new Map(sources.map(({ path, imports }) => [path, imports])))).toEqual([])
  })

  test('a cycle would be found', () => {
    expect(
      cyclesIn(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a']],
        ]),
      ),
    ).toEqual(['a -> b -> c -> a'])
  })
})

function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, '').replace(/\/\/.*$/gm, '')
}
