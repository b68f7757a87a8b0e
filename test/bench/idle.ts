import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { startInProcessWorld } from '../kube/in-process-world.ts'
import { createPod, type KubeSite } from '../kube/kube-site.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import type { Bench } from './bench.ts'
import { idlePeers } from './idle-peers.ts'
import type { Recorder } from './recorder.ts'
import { sum, watchIdle } from './resident.ts'
import type { Scenario } from './scenario.ts'
import { serviceAccount } from './service-account.ts'

const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))
const ALL = 'all three'
const IN_KUBERNETES = 'primary, lease in Kubernetes'

/** List prices of S3 Standard in us-east-1, USD per request. */
const DEAR = { is: /^(Put|UploadPart|Create|Complete|List)/, usd: 0.005 / 1000 }
const CHEAP = { is: /^(Get|Head)/, usd: 0.0004 / 1000 }
const HOURS_A_MONTH = 720

export const idle: Scenario = {
  name: 'idle',
  sentence: 'a member while nothing happens: memory, CPU, requests and what they cost',
  columns: [
    { name: 'RSS', unit: 'MiB', digits: 0 },
    { name: 'PSS', unit: 'MiB', digits: 0 },
    { name: 'CPU', unit: '% of a core', digits: 2 },
    { name: 'S3', unit: 'requests/h', digits: 0 },
    { name: 'API', unit: 'requests/h', digits: 0 },
    { name: 'price', unit: 'USD/month', digits: 2 },
  ],
  goals: [
    { column: 'RSS', how: ALL, what: IN_KUBERNETES, most: 210 },
    { column: 'CPU', how: ALL, what: IN_KUBERNETES, most: 0.5 },
    { column: 'price', how: ALL, what: IN_KUBERNETES, most: 1 },
  ],
  run: async (bench, record) => {
    const directory = await bench.directory('idle')
    await using world = await startInProcessWorld()
    const site = await world.newSite()
    const parts = [
      () => measureMember(bench, record, directory, IN_KUBERNETES, site),
      () => measureMember(bench, record, directory, 'primary, lease in the store', undefined),
      () => idlePeers(bench, record, directory),
    ]
    // Each waits most of its time; beside each other they would disturb what is measured.
    if (bench.quick) await Promise.all(parts.map((part) => part()))
    else for (const part of parts) await part()
  },
}

async function measureMember(
  bench: Bench,
  record: Recorder,
  root: string,
  what: string,
  site: KubeSite | undefined,
): Promise<void> {
  const directory = join(root, site ? 'kubernetes' : 'store')
  await mkdir(directory)
  await record.attempt({ what, how: ALL, ours: true }, async () => {
    await using server = await startS3Server()
    await using member = await startMember(bench, directory, server, site)
    // What follows a promotion is over.
    await sleep(bench.quick ? 1000 : 15_000)
    const seconds = bench.quick ? 3 : 60
    server.requests.length = 0
    const calls = site?.inProcess?.calls.length ?? 0
    const idles = await watchIdle(Object.values(member.pids), seconds)
    const perHour = 3600 / seconds
    const count = ({ is }: typeof DEAR) => server.requests.filter(({ op }) => is.test(op)).length
    for (const [i, how] of Object.keys(member.pids).entries()) {
      record.add({ what, how, ours: true }, { ...idles[i] })
    }
    return {
      ...sum(idles),
      S3: server.requests.length * perHour,
      API: ((site?.inProcess?.calls.length ?? 0) - calls) * perHour,
      price: (count(DEAR) * DEAR.usd + count(CHEAP) * CHEAP.usd) * perHour * HOURS_A_MONTH,
    }
  })
}

/** A member that leads, with Meilisearch and guard, as a pod would run it. */
async function startMember(
  { programs, quick }: Bench,
  directory: string,
  server: S3Server,
  site: KubeSite | undefined,
) {
  await using stack = new AsyncDisposableStack()
  const [data, ha] = [join(directory, 'data'), join(directory, 'ha')]
  await mkdir(data)
  await mkdir(ha)
  const account = site && stack.use(await serviceAccount(join(directory, 'account'), site, 'bench'))
  const [port, keeperPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const guard = stack.use(
    startProcess({
      command: [
        ...['/bin/sh', GUARD, ...meilisearchCommand(), '--db-path', join(data, 'data.ms')],
        ...['--http-addr', `127.0.0.1:${port}`, '--no-analytics'],
      ],
      env: { MEILI_HA_DIR: ha },
      cwd: data,
    }),
  )
  const common = [
    ...['run', '--store', `s3://${server.bucketName}/x`, '--data-dir', data, '--ha-dir', ha],
    ...['--meili-url', url, '--member', 'm1'],
  ]
  const run = (program: string, args: string[], wrap: string[] = [], more = {}) =>
    stack.use(
      startProcess({
        command: [...wrap, process.execPath, program, ...args],
        env: { ...environmentOf(server), ...more },
        cwd: directory,
      }),
    )
  const lease =
    site === undefined
      ? ['--lease', 'store']
      : [
          '--lease',
          'kubernetes',
          '--pod-name',
          'm1',
          '--pod-uid',
          await createPod(site, 'm1', 'bench'),
        ]
  const uploader = run(programs.uploader, [...common, '--listen', '127.0.0.1:0'])
  const following = ['follow', ...common.slice(1), '--listen', '127.0.0.1:0']
  const fetcher = run(programs.fetcher, [...following, '--engine-version', '1.50.0'])
  const keeper = run(
    programs['lease-keeper'],
    [
      ...[...common, '--cluster', 'bench', ...lease, '--bootstrap-member', 'm1'],
      ...(quick ? ['--lease-duration', '5s'] : []),
      ...['--listen', `127.0.0.1:${keeperPort}`],
    ],
    account?.wrap,
    account?.env,
  )
  const leads = async () => (await fetch(`http://127.0.0.1:${keeperPort}/primary`)).ok
  await until('it leads', leads, { timeoutMs: 90_000 }).catch((cause: unknown) => {
    const said = [guard, uploader, fetcher, keeper].map((one) => one.output())
    throw new Error(said.join('\n'), { cause })
  })
  const owned = stack.move()
  return {
    pids: {
      'uploader run': uploader.pid,
      'fetcher follow': fetcher.pid,
      'lease-keeper run': keeper.pid,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
