import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { RunFlags } from '@meili-ha/lease-keeper/commands/keeper-flags.ts'
import { settingsFromFlags } from '@meili-ha/lease-keeper/settings-from-flags.ts'
import { vi } from 'vitest'
import { dryHost, dryRun, PROGRAMS, type DryRun } from '../docs/dry-run.ts'
import { REPO } from '../docs/markdown.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { programOf, type Container, type Manifest } from './manifest.ts'

/** Read by libraries, not by our own flags. */
const USUAL = [
  'MEILI_HA_API_KEY',
  'AWS_REGION',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
]
const GUARD = readFileSync(join(REPO, 'docker/guard.sh'), 'utf8')

/**
 * What is wrong with a container: the real command line parses its arguments and environment, so a
 * flag that was renamed, a variable that nobody reads and a value that isn't one are all found.
 * @param all where ConfigMaps and Secrets of `envFrom` are found
 */
export async function containerProblems(
  container: Container,
  all: readonly Manifest[],
): Promise<string[]> {
  const program = programOf(container)
  const found = program === undefined ? guardProblems(container) : []
  if (program === undefined) return found.map((problem) => `${container.name}: ${problem}`)
  const shared = sharedBy(container, all)
  try {
    const given = { ...shared, ...ownOf(container) }
    for (const [name, value] of Object.entries(given)) vi.stubEnv(name, value)
    const result = await dryRun(program, container.args ?? [])
    if (result.code !== 0) found.push(result.stderr)
    if (container.command) found.push('its command replaces the program')
    found.push(...unreadProblems(program, result.ran?.name, container, shared))
    if (result.ran) found.push(...placeProblems(container, result.ran))
    if (program === 'lease-keeper' && result.ran) found.push(...(await relations(result.ran)))
  } finally {
    vi.unstubAllEnvs()
  }
  return found.map((problem) => `${container.name}: ${problem}`)
}

/** Relations between flags, as lease-keeper checks them when it starts. */
async function relations(ran: NonNullable<DryRun['ran']>): Promise<string[]> {
  await using directory = await tempDir()
  const flags = ran.options as unknown as RunFlags
  try {
    await settingsFromFlags(flags, new HaDir(directory.path), systemBootClock)
    return []
  } catch (error) {
    return [String(error)]
  }
}

function unreadProblems(
  program: string,
  command: string | undefined,
  container: Container,
  shared: Record<string, string>,
): string[] {
  const known = [...variablesOf([program], command), ...USUAL]
  const anybody = [...variablesOf(Object.keys(PROGRAMS)), ...USUAL]
  return [
    ...Object.keys(ownOf(container)).filter((name) => !known.includes(name)),
    ...Object.keys(shared).filter((name) => !anybody.includes(name)),
  ].map((name) => `nobody reads ${name}`)
}

/** What it works on is mounted, the file that it reads too, and its port is the one that it opens. */
function placeProblems(container: Container, ran: NonNullable<DryRun['ran']>): string[] {
  const mounted = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath)
  const { dataDir, haDir, to, listen, apiKeyFile } = ran.options as Record<string, string>
  const needsData = ran.name !== 'guard' && programOf(container) !== 'lease-keeper'
  const places = [ran.name === 'guard' ? to : undefined, needsData ? dataDir : undefined, haDir]
  const file = typeof apiKeyFile === 'string' ? [apiKeyFile] : []
  const missing = [...places.filter((one) => one !== undefined), ...file].filter(
    (place) => !mounted.some((mount) => place === mount || place.startsWith(`${mount}/`)),
  )
  const port = (listen as unknown as { port?: number } | undefined)?.port
  const wrong = (container.ports ?? []).filter(({ containerPort }) => containerPort !== port)
  return [
    ...missing.map((place) => `${place} is not mounted`),
    ...wrong.map(({ containerPort }) => `it does not listen on ${containerPort}`),
  ]
}

/** A Meilisearch under the guard: variables that the guard reads, its own probe, its directory. */
function guardProblems(container: Container): string[] {
  const ours = Object.keys(ownOf(container)).filter((name) => name.startsWith('MEILI_HA_'))
  const guarded = container.command?.includes('/ha/guard.sh')
  if (!guarded) return ours.map((name) => `${name} means nothing without the guard`)
  const found = ours.filter((name) => !GUARD.includes(name)).map((name) => `guard reads no ${name}`)
  const beat = container.livenessProbe?.exec?.command.join(' ')
  if (beat !== 'sh /ha/guard.sh --beat') found.push('its liveness is not asked of the guard')
  if (!(container.volumeMounts ?? []).some(({ mountPath }) => mountPath === '/ha'))
    found.push('no /ha')
  return found
}

/** The variables that some command of these programs reads. */
function variablesOf(programs: readonly string[], command?: string): string[] {
  const commands = programs.flatMap((name) => PROGRAMS[name]?.(dryHost([])).commands ?? [])
  return commands
    .filter((one) => command === undefined || one.name() === command)
    .flatMap(({ options }) => options.map(({ envVar }) => String(envVar)))
}

/** With $(NAME) filled in as the kubelet does; what only a cluster knows, as some value. */
export function ownOf({ env = [] }: Container): Record<string, string> {
  const known: Record<string, string> = {}
  for (const { name, value, valueFrom } of env) {
    const given = valueFrom ? 'known-to-the-cluster' : (value ?? '')
    known[name] = given.replaceAll(
      /\$\(([A-Z_]+)\)/g,
      (whole, other: string) => known[other] ?? whole,
    )
  }
  return known
}

function sharedBy({ envFrom = [] }: Container, all: readonly Manifest[]): Record<string, string> {
  const given = envFrom.map(({ configMapRef, secretRef }) => {
    const name = (configMapRef ?? secretRef)?.name
    const kind = configMapRef ? 'ConfigMap' : 'Secret'
    const found = all.find((one) => one.kind === kind && one.metadata.name === name)
    if (!found) throw new Error(`no ${kind} ${name}`)
    return { ...found.data, ...found.stringData }
  })
  return Object.assign({}, ...given) as Record<string, string>
}
