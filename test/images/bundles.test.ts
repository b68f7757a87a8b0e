import { execFileSync } from 'node:child_process'
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PROGRAMS, type Bundle, type Program } from '../../docker/bundle-program.ts'
import { treeOf, treeOfSnapshot } from '../fetcher/tree.ts'
import { freePort } from '../harness/free-port.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { startInProcessWorld } from '../kube/in-process-world.ts'
import { writeKubeconfig } from '../kube/kube-site.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { FIXTURES } from '../uploader/programs.ts'
import { cannotContain, runContained, startContained, type Container } from './contained.ts'
import { buildBundles, imageOf } from './image.ts'

const CATALOGUE = join(FIXTURES, 'catalogue.snapshot')
const REPO = join(FIXTURES, '../..')

if (cannotContain) console.warn(`SKIPPED: bundles in a container of bubblewrap: ${cannotContain}`)

let built: TempDir
let bundles: Record<Program, Bundle>
beforeAll(async () => {
  built = await tempDir()
  bundles = await buildBundles(built.path)
})
afterAll(() => built[Symbol.asyncDispose]())

/** An image with its volumes: directories on the host, by their path in the container. */
async function volumes(...paths: string[]) {
  const dir = await tempDir()
  onTestFinished(() => dir[Symbol.asyncDispose]())
  const mounts = paths.map((target) => ({ source: join(dir.path, target), target }))
  for (const { source } of mounts) await mkdir(source)
  const container = (command: string[], more: Partial<Container> = {}): Container => ({
    command,
    ...more,
    mounts: [...mounts, ...(more.mounts ?? [])],
  })
  return {
    host: (path: string) => join(dir.path, path),
    run: (program: Program, command: string[], more?: Partial<Container>) =>
      runContained(imageOf(built.path, program, container(command, more))),
    start: (program: Program, command: string[], more?: Partial<Container>) => {
      const child = startContained(imageOf(built.path, program, container(command, more)))
      onTestFinished(() => child[Symbol.asyncDispose]())
      return child
    },
  }
}

describe.each(PROGRAMS)('the bundle of %s', (program) => {
  test('brings the licence of everything in it', async () => {
    const notices = await readFile(join(built.path, program, 'THIRD-PARTY.txt'), 'utf8')
    const { bundled } = bundles[program]
    expect(bundled.map(({ name }) => name)).toEqual(expect.arrayContaining(['commander', 'zod']))
    for (const { name, version, license } of bundled) {
      expect(notices).toContain(`${name} ${version} (${license})`)
      expect(license).toMatch(/^(MIT|Apache-2\.0|ISC|BSD-[23]-Clause|0BSD|Unlicense)$/)
    }
  })

  test('is small, and knows nothing of the machine that built it', async () => {
    // 1.1 MiB; the keeper's has a kubeconfig's client too, which a pod never loads.
    const limit = program === 'lease-keeper' ? 6 : 1.5
    expect(bundles[program].bytes).toBeLessThan(limit * 1024 * 1024)
    const files = await readdir(join(built.path, program), { recursive: true, withFileTypes: true })
    for (const file of files.filter((entry) => entry.isFile())) {
      const text = await readFile(join(file.parentPath, file.name), 'utf8')
      expect(text.includes(REPO), file.name).toBe(false)
    }
  })

  // Without a sandbox too: what a bundle needs beside it would be missing in an empty directory.
  test('tells its version in an empty directory', async () => {
    await using empty = await tempDir()
    const args = [bundles[program].entry, '--version']
    const said = execFileSync(process.execPath, args, { cwd: empty.path, env: {} })
    const { version } = JSON.parse(await readFile(join(REPO, 'package.json'), 'utf8'))
    expect(String(said)).toBe(`${version}\n`)
  })

  test('loads of Node itself no more than a start needs', async () => {
    await using dir = await tempDir()
    const list = join(dir.path, 'list.cjs')
    await writeFile(list, 'process.on("exit", () => console.log(process.moduleLoadList.join()))')
    const args = ['--require', list, bundles[program].entry, '--version']
    const loaded = String(execFileSync(process.execPath, args, { env: {} })).split(',')
    expect(loaded).toContain('NativeModule http')
    const needless = ['child_process', 'http2', 'https'].map((name) => `NativeModule ${name}`)
    expect(loaded.filter((name) => needless.includes(name))).toEqual([])
  })
})

describe.skipIf(cannotContain)('in a read-only container, as uid 1000 without a home', () => {
  test.each(PROGRAMS)('%s shows its help, and that nobody answers', async (program) => {
    const { run } = await volumes()
    const help = await run(program, ['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain(`Usage: ${program}`)
    const port = await freePort()
    const sick = await run(program, ['health', '--listen', `127.0.0.1:${port}`])
    expect(sick).toMatchObject({ code: 1 })
    expect(sick.stderr).toContain(`nobody answers on port ${port}`)
  })

  test('the fetcher puts the guard into /ha, executable', async () => {
    const { run, host } = await volumes('/ha')
    expect(await run('fetcher', ['guard', '--to', '/ha'])).toEqual({
      code: 0,
      stdout: '/ha/guard.sh\n',
      stderr: '',
    })
    const script = await readFile(host('/ha/guard.sh'), 'utf8')
    expect(script).toBe(await readFile(join(REPO, 'docker/guard.sh'), 'utf8'))
    expect((await stat(host('/ha/guard.sh'))).mode & 0o777).toBe(0o755)
  })

  test('what one image publishes another restores, from files', async () => {
    const { run, host } = await volumes('/store', '/meili_data')
    const env = { MEILI_HA_STORE: 'file:///store', MEILI_HA_MEMBER: 'm1' }
    const mounts = [{ source: CATALOGUE, target: '/latest.snapshot', readOnly: true }]
    const published = await run('uploader', ['publish', '/latest.snapshot'], { env, mounts })
    expect(published).toMatchObject({ code: 0, stdout: '0000000000-0000000001\n' })
    expect(await run('fetcher', ['verify', '--all'], { env })).toMatchObject({ code: 0 })
    expect(await run('fetcher', ['restore'], { env })).toMatchObject({ code: 0 })
    expect(await treeOf(host('/meili_data/data.ms'))).toEqual(await treeOfSnapshot(CATALOGUE))
  })

  test('and from S3', async () => {
    await using server = await startS3Server()
    const { run, host } = await volumes('/meili_data')
    const env = { ...environmentOf(server), MEILI_HA_STORE: `s3://${server.bucketName}/x` }
    const mounts = [{ source: CATALOGUE, target: '/latest.snapshot', readOnly: true }]
    const published = await run('uploader', ['publish', '/latest.snapshot'], { env, mounts })
    expect(published).toMatchObject({ code: 0, stdout: '0000000000-0000000001\n' })
    expect(await run('fetcher', ['restore'], { env })).toMatchObject({ code: 0 })
    expect(await treeOf(host('/meili_data/data.ms'))).toEqual(await treeOfSnapshot(CATALOGUE))
  })

  test('no credentials are an error that says so, without a home to look in', async () => {
    const { run } = await volumes()
    const env = { AWS_REGION: 'eu-central-1', AWS_EC2_METADATA_DISABLED: 'true' }
    const { code, stderr } = await run('fetcher', ['list', '--store', 's3://bucket'], { env })
    expect(code).toBe(10)
    expect(stderr).toMatch(/MEILI_HA_STORE_DENIED.*\n.*redentials/)
  })

  test.each<[Program, string[]]>([
    ['uploader', ['run', '--lease', 'none']],
    ['fetcher', ['follow', '--lease', 'none', '--ha-dir', '/ha']],
    ['lease-keeper', ['run', '--cluster', 'x', '--lease', 'store', '--ha-dir', '/ha']],
  ])('%s %j is well while it runs, and ends at SIGTERM', async (program, command) => {
    const { run, start } = await volumes('/store', '/meili_data', '/ha')
    const listen = `127.0.0.1:${await freePort()}`
    const env = { MEILI_HA_STORE: 'file:///store', MEILI_HA_LISTEN: listen }
    const child = start(program, command, { env })
    await until('it is well', async () => (await fetch(`http://${listen}/healthz`)).ok).catch(
      (cause: unknown) => {
        throw new Error(child.output(), { cause })
      },
    )
    expect(await run(program, ['health'], { env })).toMatchObject({ code: 0, stderr: '' })
    await child.signal('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  test('logs are pretty where that is asked for', async () => {
    const { run } = await volumes('/store', '/meili_data')
    const env = { MEILI_HA_STORE: 'file:///store', MEILI_HA_LOG_FORMAT: 'pretty' }
    const mounts = [{ source: CATALOGUE, target: '/latest.snapshot', readOnly: true }]
    const { code, stderr } = await run('uploader', ['publish', '/latest.snapshot'], { env, mounts })
    expect(code).toBe(0)
    expect(stderr).toMatch(/INFO.*: published/)
  })

  test('a keeper finds the API server through a kubeconfig', async () => {
    await using world = await startInProcessWorld()
    await using dir = await tempDir()
    const site = await world.newSite()
    await writeKubeconfig(site, { token: await site.keeperToken('x') }, dir.path)
    const { run } = await volumes()
    const { code, stdout, stderr } = await run(
      'lease-keeper',
      ['status', '--cluster', 'x', '--lease', 'kubernetes', '--json'],
      {
        env: { KUBECONFIG: '/kube/kubeconfig' },
        mounts: [{ source: dir.path, target: '/kube', readOnly: true }],
      },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({})
  })
})
