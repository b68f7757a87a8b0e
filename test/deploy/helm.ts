import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { REPO } from '../docs/markdown.ts'
import { findTool } from '../bench/find-tool.ts'
import { manifestsIn, type Manifest } from './manifest.ts'

export const CHART = join(REPO, 'deploy/helm')
/** The chart's minimum is 1.29; a helm that was built by hand believes that it meets 1.20. */
const KUBE_VERSION = '1.34.0'

/** On PATH, or where test/deploy/fetch-helm.sh has put it; says so aloud when there is none. */
function tool(name: 'helm' | 'kubectl'): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const fetched = join(cache, 'meili-ha/kubectl-v34-2.2.2', name, name)
  const found = findTool(name) ?? (existsSync(fetched) ? fetched : undefined)
  if (!found) console.warn(`SKIPPED: no ${name}: run test/deploy/fetch-helm.sh once`)
  return found
}

export const helm = tool('helm')
export const kubectl = tool('kubectl')

const rendered = new Map<string, Manifest[]>()

/** What `helm template` makes of a chart. @throws what helm says when it refuses */
export function render(
  args: readonly string[],
  chart: string = CHART,
  name = 'search',
): Manifest[] {
  const command = ['template', name, chart, '--kube-version', KUBE_VERSION, ...args]
  const known = rendered.get(command.join(' ')) ?? manifestsIn(runTool(helm, command))
  rendered.set(command.join(' '), known)
  return known
}

export function runTool(file: string | undefined, args: readonly string[]): string {
  if (!file) throw new Error('the tool is not on this machine')
  return execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe', maxBuffer: 16 * 1024 * 1024 })
}
