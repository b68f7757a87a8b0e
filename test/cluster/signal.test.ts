import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand, startMeilisearch } from '../harness/meilisearch.ts'
import { startProcess, type RunningProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { cliOf } from '../uploader/programs.ts'

const LONG = { timeoutMs: 30_000, everyMs: 50 }
const MASTER_KEY = 'signal-master-key-0123456789'

/** Its PID namespace is the pod's; outside of one it would stop the Meilisearch of other tests. */
const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']

/** A pod whose containers share processes: PID 1 restarts Meilisearch, as a kubelet does, for ever. */
const POD = `
  ([ -z "$STAND_IN_IGNORE_SIGTERM" ] || trap '' TERM; while :; do "$@"; echo "pod: meilisearch ended: $?"; sleep 0.3; done) &
  exec "$NODE" "$KEEPER" run --stop signal --cluster test --lease store --lease-duration 5s \\
    --listen "127.0.0.1:$KEEPER_PORT" --meili-url "$MEILI_URL" --log-format json
`

interface SignalMember extends AsyncDisposable {
  pod: RunningProcess
  /** How often its Meilisearch has ended. */
  ends(): number
  serves(): Promise<boolean>
  leads(): Promise<boolean>
}

const ok = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    (answer) => answer.ok,
    () => false,
  )

async function startPod(
  root: string,
  member: string,
  server: S3Server,
  env: Record<string, string> = {},
): Promise<SignalMember> {
  const [port, keeperPort] = await Promise.all([freePort(), freePort()])
  const url = `http://127.0.0.1:${port}`
  const dbPath = join(root, `${member}.ms`)
  const args = ['--db-path', dbPath, '--http-addr', `127.0.0.1:${port}`]
  // Made before: one that is killed while it makes its first directory leaves half of it.
  await (await startMeilisearch({ dbPath, port, masterKey: MASTER_KEY })).kill('SIGTERM')
  const pod = startProcess({
    command: [...UNSHARE, 'sh', '-c', POD, 'pod', ...meilisearchCommand(), ...args],
    env: {
      ...environmentOf(server),
      ...env,
      MEILI_MASTER_KEY: MASTER_KEY,
      NODE: process.execPath,
      KEEPER: cliOf('lease-keeper'),
      KEEPER_PORT: String(keeperPort),
      MEILI_URL: url,
      MEILI_HA_STORE: `s3://${server.bucketName}/signal`,
      MEILI_HA_MEMBER: member,
    },
    cwd: root,
  })
  return {
    pod,
    ends: () => pod.output().match(/pod: meilisearch ended/g)?.length ?? 0,
    serves: () => ok(`${url}/health`),
    leads: () => ok(`http://127.0.0.1:${keeperPort}/primary`),
    [Symbol.asyncDispose]: () => pod[Symbol.asyncDispose](),
  }
}

function mayUnshare(): boolean {
  try {
    execFileSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true'], { stdio: 'ignore' })
    return true
  } catch {
    console.warn('SKIPPED: signal mode with real processes needs unshare --pid, as root')
    return false
  }
}

function waitUntil(what: string, pods: SignalMember[], probe: () => Promise<boolean>) {
  return until(what, probe, LONG).catch((cause: unknown) => {
    throw new Error(pods.map(({ pod }) => pod.output()).join('\n---\n'), { cause })
  })
}

describe.runIf(mayUnshare())('--stop signal', () => {
  test('stops each Meilisearch that appears without a permit, and lets the holder serve', async () => {
    await using root = await tempDir()
    await using server = await startS3Server()
    await using m1 = await startPod(root.path, 'm1', server)
    await waitUntil('m1 leads', [m1], () => m1.leads())
    await using m2 = await startPod(root.path, 'm2', server)
    await waitUntil('three are stopped', [m2], async () => m2.ends() >= 3)
    expect(await m2.leads()).toBe(false)

    await m1[Symbol.asyncDispose]()
    await waitUntil('m2 leads', [m2], () => m2.leads())
    expect(await m2.serves()).toBe(true)
    for (const { pod } of [m1, m2]) expect(pod.output()).not.toContain(MASTER_KEY)
  })

  test('stops one whose keeper is started while the store of its lease is away', async () => {
    await using root = await tempDir()
    await using server = await startS3Server()
    server.faults.add({ kind: 'hang' }, { times: Number.POSITIVE_INFINITY })
    await using m1 = await startPod(root.path, 'm1', server)
    await waitUntil('two are stopped', [m1], async () => m1.ends() >= 2)
    expect(m1.pod.output()).not.toContain('keeper.started')
  })

  test('kills one that ignores SIGTERM before anyone else may lead', async () => {
    await using root = await tempDir()
    await using server = await startS3Server()
    await using m1 = await startPod(root.path, 'm1', server, { STAND_IN_IGNORE_SIGTERM: '1' })
    await waitUntil('m1 leads', [m1], () => m1.leads())
    const began = performance.now()
    server.faults.add({ kind: 'hang' }, { times: Number.POSITIVE_INFINITY })
    await waitUntil('its Meilisearch is gone', [m1], async () => !(await m1.serves()))
    const took = performance.now() - began
    console.info(`dead ${Math.round(took)} ms after the lease store fell silent`)
    expect(took).toBeLessThan(5000)
    expect(m1.pod.output()).toMatch(/SIGTERM to Meilisearch[^]*SIGKILL to Meilisearch/)
  })
})
