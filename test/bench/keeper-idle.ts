// node test/bench/keeper-idle.ts [--seconds N]
// What a lease-keeper costs while nothing happens: requests, CPU and memory, with each lease. Bundled
// as for the image, since Node's own TypeScript loader would cost more than the keeper.
import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { freePort } from '../harness/free-port.ts'
import { startProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { startInProcessWorld } from '../kube/in-process-world.ts'
import { createPod } from '../kube/kube-site.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { cliOf } from '../uploader/programs.ts'

const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))
const MIB = 1024 * 1024
/** Resident memory that the issue allows, bytes, by lease. */
const GOALS: Record<string, number> = { kubernetes: 75 * MIB, s3: 60 * MIB, file: 60 * MIB }

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } })
const seconds = Number(values.seconds)

/** A container's mount of its service account, for a keeper that takes this machine for its node. */
const IN_POD = `
  mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io
  ln -s "$ACCOUNT" /run/secrets/kubernetes.io/serviceaccount && exec "$@"
`

interface Lease {
  name: string
  /** Put before the program. */
  wrap?: string[]
  args: string[]
  env: Record<string, string>
  /** How many requests the lease's server has had so far; undefined = they can't be counted. */
  requests?: () => number
}

/** A member whose keeper holds the lease, with a guard and nothing else: its Meilisearch is cold. */
async function measure(
  root: string,
  bundle: string,
  { name, wrap = [], args, env, requests }: Lease,
): Promise<boolean> {
  const ha = join(root, `${name}-ha`)
  await mkdir(ha)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await using guard = startProcess({
    command: ['/bin/sh', GUARD, 'sleep', '1000000'],
    env: { MEILI_HA_DIR: ha },
    cwd: root,
  })
  await using keeper = startProcess({
    command: [
      ...[...wrap, process.execPath, bundle, 'run'],
      ...['--cluster', 'bench', '--standby', 'cold', '--ha-dir', ha, '--data-dir', root],
      ...['--member', 'm1', '--listen', `127.0.0.1:${port}`, '--unhealthy-after', '1h', ...args],
    ],
    env,
  })
  await until('it leads', async () => (await stateOf(url)).phase === 'primary', {
    timeoutMs: 60_000,
  }).catch((cause: unknown) => {
    throw new Error(guard.output() + keeper.output(), { cause })
  })
  await sleep(5000)
  const before = { requests: requests?.() ?? 0, cpuMs: await cpuOf(keeper.pid) }
  await sleep(seconds * 1000)
  const perMinute = (((requests?.() ?? Number.NaN) - before.requests) * 60) / seconds
  const cpuMs = (await cpuOf(keeper.pid)) - before.cpuMs
  const [rss, anonymous] = await Promise.all([
    memoryOf(keeper.pid, 'VmRSS'),
    memoryOf(keeper.pid, 'RssAnon'),
  ])
  const ok = rss <= (GOALS[name] ?? 0)
  console.log(
    `${name}: ${perMinute.toFixed(1)} requests a minute, CPU ${((cpuMs / seconds) * 0.1).toFixed(2)} %, ` +
      `${(rss / MIB).toFixed(1)} MiB of ${(GOALS[name] ?? 0) / MIB}${ok ? '' : ': TOO MUCH'}, ` +
      `${(anonymous / MIB).toFixed(1)} of them its own`,
  )
  return ok
}

async function stateOf(url: string): Promise<{ phase: string }> {
  return (await (await fetch(`${url}/status`)).json()) as { phase: string }
}

/** User and system time, milliseconds. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The rest of what is resident are pages of Node's binary, which all containers of a node share. */
async function memoryOf(pid: number, what: 'VmRSS' | 'RssAnon'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
}

async function bundleKeeper(directory: string): Promise<string> {
  await build({
    entryPoints: [cliOf('lease-keeper')],
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    define: { MEILI_HA_VERSION: '"bench"' },
    banner: {
      js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
    },
  })
  return join(directory, 'cli.mjs')
}

/** Files of a service account, and TLS before the API server, as in a pod. */
async function serviceAccount(
  directory: string,
  target: string,
  namespace: string,
  token: string,
): Promise<Server> {
  await mkdir(directory)
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'ca.crt')]
  const subject = ['-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  await writeFile(join(directory, 'token'), token)
  await writeFile(join(directory, 'namespace'), namespace)
  const tls = { key: await readFile(key), cert: await readFile(cert) }
  const server = createServer(tls, (incoming, outgoing) => {
    const { method = 'GET', headers } = incoming
    const call = request(`${target}${incoming.url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(call)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

await using root = await tempDir()
await using server = await startS3Server()
await using world = await startInProcessWorld()
const site = await world.newSite()
const uid = await createPod(site, 'm1', 'bench')
const token = await site.keeperToken('bench')
const account = join(root.path, 'account')
const api = await serviceAccount(account, site.server, site.namespace, token)
const bundle = await bundleKeeper(join(root.path, 'bundle'))
const leases: Lease[] = [
  { name: 'file', args: ['--lease', 'store', '--store', `file://${root.path}/store`], env: {} },
  {
    name: 's3',
    args: ['--lease', 'store', '--store', `s3://${server.bucketName}/x`],
    env: environmentOf(server),
    requests: () => server.requests.length,
  },
  {
    name: 'kubernetes',
    args: ['--lease', 'kubernetes', '--pod-name', 'm1', '--pod-uid', uid],
    wrap: ['unshare', '--mount', 'sh', '-c', IN_POD, 'pod'],
    env: {
      ACCOUNT: account,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String((api.address() as AddressInfo).port),
    },
    requests: () => site.inProcess?.calls.length ?? 0,
  },
]
let ok = true
for (const lease of leases) ok = (await measure(root.path, bundle, lease)) && ok
process.exitCode = ok ? 0 : 1
api.closeAllConnections()
api.close()
