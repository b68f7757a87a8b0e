import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { dryHost, dryRun, PROGRAMS } from './dry-run.ts'
import { REPO } from './markdown.ts'

interface Container {
  name: string
  image: string
  command?: string[]
  args?: string[]
  env?: { name: string; value: string }[]
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
  volumeMounts: { name: string; mountPath: string }[]
  ports?: { name: string; containerPort: number }[]
}

interface Resource {
  kind: string
  metadata: { name: string }
  data?: Record<string, string>
  stringData?: Record<string, string>
  spec: {
    template: {
      spec: { initContainers?: Container[]; containers: Container[]; volumes: { name: string }[] }
    }
    volumeClaimTemplates: { metadata: { name: string } }[]
  }
}

const DIR = `${REPO}/deploy/examples`
const FILES = readdirSync(DIR).filter((name) => name.endsWith('.yaml'))

function read(file: string): Resource[] {
  return parseAllDocuments(readFileSync(`${DIR}/${file}`, 'utf8')).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS() as Resource
  })
}

/** A step may use what the steps before it made. */
const everything = FILES.flatMap(read)

function containersOf(file: string): Container[] {
  const pods = read(file).filter(({ kind }) => kind === 'StatefulSet')
  return pods.flatMap(({ spec: { template } }) => [
    ...(template.spec.initContainers ?? []),
    ...template.spec.containers,
  ])
}

function shared(container: Container): Record<string, string> {
  const all = (container.envFrom ?? []).map(({ configMapRef, secretRef }) => {
    const name = (configMapRef ?? secretRef)?.name
    const kind = configMapRef ? 'ConfigMap' : 'Secret'
    const found = everything.find((one) => one.kind === kind && one.metadata.name === name)
    if (!found) throw new Error(`no ${kind} ${name}`)
    return { ...found.data, ...found.stringData }
  })
  return Object.assign({}, ...all) as Record<string, string>
}

const own = ({ env = [] }: Container) =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]))

const programOf = ({ image }: Container) => /^ghcr\.io\/meili-ha\/([a-z-]+):/.exec(image)?.[1]

/** The variables that some command of these programs reads. */
function variablesOf(programs: readonly string[], command?: string): string[] {
  const commands = programs.flatMap((name) => PROGRAMS[name]?.(dryHost([])).commands ?? [])
  return commands
    .filter((one) => command === undefined || one.name() === command)
    .flatMap(({ options }) => options.map(({ envVar }) => String(envVar)))
}

afterEach(() => vi.unstubAllEnvs())

for (const file of FILES) {
  test(`${file}: every command and variable of ours is one that the real program takes`, async () => {
    const ours = containersOf(file).filter((container) => programOf(container) !== undefined)
    expect(ours.length).toBeGreaterThan(0)
    for (const container of ours) {
      const program = programOf(container) ?? ''
      for (const [name, value] of Object.entries({ ...shared(container), ...own(container) })) {
        vi.stubEnv(name, value)
      }
      const result = await dryRun(program, container.args ?? [])
      expect({ container: container.name, ...result }).toMatchObject({ code: 0, stderr: '' })
      expect(container.args?.[0]).toBe(result.ran?.name)
      const known = [...variablesOf([program], result.ran?.name), 'AWS_REGION']
      expect(Object.keys(own(container)).filter((name) => !known.includes(name))).toEqual([])
      const usual = ['MEILI_HA_API_KEY', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
      const anybody = [...variablesOf(Object.keys(PROGRAMS)), ...usual]
      expect(Object.keys(shared(container)).filter((name) => !anybody.includes(name))).toEqual([])
      vi.unstubAllEnvs()
    }
  })

  test(`${file}: what a program of ours works on is mounted, and its port is the one it opens`, async () => {
    for (const container of containersOf(file)) {
      const program = programOf(container)
      if (program === undefined) continue
      const { ran } = await dryRun(program, container.args ?? [])
      const mounted = container.volumeMounts.map(({ mountPath }) => mountPath)
      const { dataDir, haDir, to, listen } = ran?.options ?? {}
      const worksOn = [ran?.name === 'guard' ? to : dataDir, haDir].filter(Boolean)
      expect(mounted).toEqual(expect.arrayContaining(worksOn))
      for (const { containerPort } of container.ports ?? []) {
        expect(listen).toMatchObject({ port: containerPort })
      }
    }
  })

  test(`${file}: every volume that is mounted is there`, () => {
    const { spec } = read(file).find(({ kind }) => kind === 'StatefulSet') as Resource
    const there = [
      ...spec.template.spec.volumes.map(({ name }) => name),
      ...spec.volumeClaimTemplates.map(({ metadata }) => metadata.name),
    ]
    const mounts = containersOf(file).flatMap(({ volumeMounts }) => volumeMounts)
    expect(mounts.filter(({ name }) => !there.includes(name))).toEqual([])
  })
}

test('a guarded Meilisearch is given variables that the guard reads, and its probe is the guard’s', () => {
  const script = readFileSync(`${REPO}/docker/guard.sh`, 'utf8')
  const guarded = FILES.flatMap(containersOf).filter(({ command }) =>
    command?.includes('/ha/guard.sh'),
  )
  expect(guarded.length).toBeGreaterThan(0)
  for (const container of guarded) {
    for (const name of Object.keys(own(container)).filter((one) => one.startsWith('MEILI_HA_'))) {
      expect(script).toContain(name)
    }
    expect(JSON.stringify(container)).toContain('"exec":{"command":["sh","/ha/guard.sh","--beat"]}')
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toContain('/ha')
  }
})
