import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { REPO } from '../docs/markdown.ts'
import { helm, render } from './helm.ts'
import { manifestsIn, type Container, type Manifest } from './manifest.ts'

const DIR = join(REPO, 'deploy/official-chart')

/** The chart of meilisearch-kubernetes, as a directory: somebody else's, so it isn't in this repository. */
const chart = process.env['OFFICIAL_CHART']
if (!chart)
  console.warn('SKIPPED: values on the official chart: set OFFICIAL_CHART to its directory')
export const official = helm ? chart : undefined

export const OFFICIAL_STEPS = readdirSync(DIR)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => basename(name, '.yaml'))

/** What the chart makes of a step's values, for the first release; its test pod is not of use under "restricted". */
export function renderOfficial(step: string): Manifest[] {
  return render(['-f', join(DIR, `${step}.yaml`), '--skip-tests'], official ?? '', 'meilisearch-a')
}

/** What the chart can't carry, and the Secret that people make. */
export function extras(): Manifest[] {
  const files = ['extras/settings.yaml', 'extras/failover.yaml']
  const secret = `{apiVersion: v1, kind: Secret, metadata: {name: meili-ha}, stringData:
    {MEILI_HA_API_KEY: a, AWS_ACCESS_KEY_ID: b, AWS_SECRET_ACCESS_KEY: c}}`
  const texts = [...files.map((file) => readFileSync(join(DIR, file), 'utf8')), secret]
  return texts.flatMap(manifestsIn)
}

export interface OfficialValues {
  containers?: Container[]
  initContainers?: Container[]
  environment: Record<string, string>
  command?: string[]
  livenessProbe?: { periodSeconds: number }
  startupProbe?: { failureThreshold: number }
  serviceAccount?: { create: boolean; name: string }
}

export function valuesOf(step: string): OfficialValues {
  return parse(readFileSync(join(DIR, `${step}.yaml`), 'utf8')) as OfficialValues
}
