import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { PROGRAMS } from '../../docker/bundle-program.ts'
import { dryHost, dryRun, PROGRAMS as CLIS } from '../docs/dry-run.ts'
import { REPO } from '../docs/markdown.ts'
import { run } from '../images/tool.ts'
import { COMPOSE, programOf, readCompose } from './compose-file.ts'

const KEY = { MEILI_MASTER_KEY: '0123456789abcdef' }
const { services, volumes } = readCompose(KEY)
const ours = Object.entries(services).filter(([, service]) => programOf(service) !== undefined)

afterEach(() => vi.unstubAllEnvs())

test('Docker Compose takes it, and without a master key says what is missing', (context) => {
  const config = ['-f', COMPOSE, 'config', '--quiet']
  const good = run('docker-compose', config, { env: KEY })
  if (good === undefined) context.skip('SKIPPED: docker-compose is not installed')
  expect(good).toEqual({ code: 0, output: '' })
  const bad = run('docker-compose', config, { env: { MEILI_MASTER_KEY: '' } })
  expect(bad?.code).not.toBe(0)
  expect(bad?.output).toContain('MEILI_MASTER_KEY is missing a value: set it')
})

test('every command and variable of ours is one that the real program takes', async () => {
  expect(ours).toHaveLength(7)
  for (const [name, service] of ours) {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      vi.stubEnv(variable, value)
    }
    const result = await dryRun(programOf(service) ?? '', service.command)
    expect({ name, ...result }).toMatchObject({ code: 0, stderr: '' })
    expect(service.command[0]).toBe(result.ran?.name)
    const variables = Object.values(CLIS).flatMap((cli) =>
      cli(dryHost([])).commands.flatMap(({ options }) => options.map(({ envVar }) => envVar)),
    )
    const known = [...variables, 'MEILI_HA_API_KEY']
    const given = Object.keys(service.environment ?? {})
    expect(given.filter((one) => !known.includes(one) && !one.startsWith('AWS_'))).toEqual([])
    const mounted = (service.volumes ?? []).map(({ target }) => target)
    const { dataDir, haDir, to } = result.ran?.options ?? {}
    const worksOn = result.ran?.name === 'guard' ? [to] : [dataDir, haDir, '/store']
    expect(mounted).toEqual(expect.arrayContaining(worksOn.filter(Boolean)))
    vi.unstubAllEnvs()
  }
})

test('a member’s programs bear its name, and ask its Meilisearch', () => {
  for (const member of ['m1', 'm2']) {
    for (const part of ['uploader', 'fetcher', 'keeper']) {
      expect(services[`${member}-${part}`]?.environment).toMatchObject({
        MEILI_HA_MEMBER: member,
        MEILI_HA_MEILI_URL: `http://${member}:7700`,
      })
    }
  }
})

test('Meilisearch is the stock image under the guard, which reads what it is given', () => {
  const guard = readFileSync(join(REPO, 'docker/guard.sh'), 'utf8')
  for (const member of ['m1', 'm2']) {
    const service = services[member]
    expect(service?.image).toMatch(/^getmeili\/meilisearch:v1\.\d+\.\d+$/)
    expect(service?.entrypoint?.slice(0, 4)).toEqual(['tini', '--', 'sh', '/guard/guard.sh'])
    expect(service?.healthcheck?.test).toEqual(['CMD', 'sh', '/guard/guard.sh', '--beat'])
    const settings = Object.keys(service?.environment ?? {})
    for (const name of settings.filter((one) => one.startsWith('MEILI_HA_'))) {
      expect(guard).toContain(name)
    }
    expect(service?.environment?.['MEILI_HA_DRAIN_LIMIT']).toBe('115')
    expect(service?.stop_grace_period).toBe('2m')
  }
})

test('nothing runs as root but what makes the volumes writable, and that may do nothing else', () => {
  for (const [name, service] of Object.entries(services)) {
    expect({ name, cap: service.cap_drop, ro: service.read_only }).toEqual({
      name,
      cap: ['ALL'],
      ro: true,
    })
    expect(service.security_opt).toEqual(['no-new-privileges:true'])
    expect(service.mem_limit).toMatch(/^\d+[mg]$/)
    expect(service.stop_grace_period).toMatch(/^\d+[sm]$/)
    if (name === 'volumes') continue
    expect({ name, user: service.user, more: service.cap_add }).toEqual({ name, user: '1000:1000' })
  }
  const { volumes: init } = services
  expect(init).toMatchObject({ user: '0:0', cap_add: ['CHOWN'], network_mode: 'none' })
  const made = new Map(init?.volumes?.map(({ source, target }) => [source, target]))
  const onDisk = Object.entries(volumes).filter(([, volume]) => !volume?.driver_opts)
  expect([...made.keys()].toSorted()).toEqual(onDisk.map(([name]) => name).toSorted())
  expect(init?.entrypoint).toEqual(['chown', '1000:1000', ...made.values()])
})

test('/ha is in memory, and open to whoever the containers run as', () => {
  for (const name of ['m1-ha', 'm2-ha']) {
    expect(volumes[name]?.driver_opts).toMatchObject({ type: 'tmpfs' })
    expect(volumes[name]?.driver_opts?.['o']).toContain('mode=1777')
  }
})

test('one port is published, on this machine alone; every image is pinned', () => {
  const published = Object.values(services).flatMap(({ ports }) => ports ?? [])
  expect(published).toEqual(['127.0.0.1:7700:7700'])
  for (const { image } of Object.values(services)) expect(image).toMatch(/:v?\d+\.\d+/)
})

test('what it builds are the targets of the Dockerfile, with the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8'))
  for (const [, service] of ours) {
    const program = programOf(service)
    expect(PROGRAMS).toContain(program)
    expect(service.image).toBe(`ghcr.io/meili-ha/${program}:${version}`)
    const build = { context: '..', dockerfile: 'docker/Dockerfile', target: program }
    expect(service.build).toEqual(build)
    if (service.healthcheck?.disable) continue
    const check = ['CMD', '/nodejs/bin/node', `/app/${program}.mjs`, 'health']
    expect(service.healthcheck?.test).toEqual(check)
  }
})

test('a member stops before its programs, which its drain needs', () => {
  for (const member of ['m1', 'm2']) {
    const parts = ['uploader', 'fetcher', 'keeper'].map((part) => `${member}-${part}`)
    expect(Object.keys(services[member]?.depends_on ?? {})).toEqual(expect.arrayContaining(parts))
    for (const part of parts) {
      expect(Object.keys(services[part]?.depends_on ?? {})).not.toContain(member)
    }
  }
})
