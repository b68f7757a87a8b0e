import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dirname, join } from 'node:path'
import type { Part } from '../cluster/member.ts'

/** A bug brought in from outside, to show that the checker finds it; product code knows of none. */
interface Planted {
  what: string
  replace: (part: Part, command: string[]) => string[]
}

export type Plant = 'deaf-guard' | 'blind-fetcher'

/** The test of docker/guard.sh by which a permit ends. */
const ENDS = 'elif [ $((now + slack)) -ge "$term_at" ]; then'

export const PLANTS: Readonly<Record<Plant, Planted>> = {
  'deaf-guard': {
    what: "a guard that lets Meilisearch run beyond its permit's end (two primaries)",
    replace: (part, command) => (part === 'guard' ? command.map(deafGuard) : command),
  },
  'blind-fetcher': {
    what: 'a fetcher that misses the two newest snapshots (older claims, lost writes)',
    replace: (part, command) => (part === 'fetcher' ? blinded(command) : command),
  },
}

/** A copy of the guard beside the member's Meilisearch, in which a permit never ends. */
function deafGuard(word: string, _index: number, command: string[]): string {
  if (!word.endsWith('guard.sh')) return word
  const script = readFileSync(word, 'utf8')
  if (!script.includes(ENDS)) throw new Error(`docker/guard.sh has no ${ENDS}: nothing is planted`)
  const path = join(dirname(command[2] ?? ''), 'deaf-guard.sh')
  writeFileSync(path, script.replace(ENDS, 'elif false; then'))
  return path
}

function blinded([node = '', ...args]: string[]): string[] {
  const module = fileURLToPath(new URL('plants/blind-fetcher.ts', import.meta.url))
  return [node, '--import', module, ...args]
}
