import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess } from '../harness/process.ts'
import { writeKubeconfig } from '../kube/kube-site.ts'
import { startRealApiServer } from '../kube/real-api-server.ts'
import { MIB, type Bench } from './bench.ts'
import { findTool } from './find-tool.ts'
import { startGateway } from './gateway.ts'
import { measure } from './measure.ts'
import type { Recorder } from './recorder.ts'
import { sum, watchIdle } from './resident.ts'

const what = 'instead'
/** The poll of both, seconds. */
const POLL = 30
const PER_HOUR = 3600 / POLL
const USD_PER_LIST = 0.005 / 1000

/** What one would run instead: three bare Nodes show what ours adds to them. */
export async function idlePeers(bench: Bench, record: Recorder, root: string): Promise<void> {
  const directory = join(root, 'peers')
  await mkdir(directory)
  const seconds = bench.quick ? 2 : 20
  await record.attempt({ what, how: 'three bare Nodes' }, async () => {
    await using stack = new AsyncDisposableStack()
    const command = [process.execPath, '-e', 'setInterval(() => {}, 1e6)']
    const nodes = [1, 2, 3].map(() => stack.use(startProcess({ command })))
    await sleep(1000)
    return {
      ...sum(
        await watchIdle(
          nodes.map(({ pid }) => pid),
          seconds,
        ),
      ),
    }
  })
  await awsLoop(bench, record, directory)
  await elector(record, directory, seconds)
}

/** A shell loop: its memory comes and goes with each call, so the peak stands for it. */
async function awsLoop(bench: Bench, record: Recorder, directory: string): Promise<void> {
  const row = { what, how: `aws s3 ls every ${POLL} s (while it runs)` }
  const aws = findTool('aws', 'AWSCLI')
  if (aws === undefined) {
    record.skip(row, 'no awscli on PATH or in AWSCLI')
    return
  }
  await using gateway = await startGateway(directory)
  for (let run = 1; run <= bench.runs; run++) {
    await record.attempt(row, async () => {
      const command = [aws, 's3', 'ls', `s3://${gateway.bucket}/`] as const
      const { cpuMs, peakBytes } = await measure(command, { ...process.env, ...gateway.env })
      const price = PER_HOUR * 720 * USD_PER_LIST
      return { RSS: peakBytes / MIB, CPU: cpuMs / POLL / 10, S3: PER_HOUR, price }
    })
  }
}

/**
 * client-go's own example: `go install k8s.io/client-go/examples/leader-election@v0.34.2`. It writes
 * protobuf, which the API server of the tests doesn't read.
 */
async function elector(record: Recorder, directory: string, seconds: number): Promise<void> {
  const row = { what, how: "client-go's leader-election (an elector alone)" }
  const tool = findTool('leader-election', 'GO_ELECTOR')
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (tool === undefined) {
    record.skip(row, 'no leader-election on PATH or in GO_ELECTOR')
    return
  }
  if (!assets) {
    record.skip(row, 'no kube-apiserver and etcd in KUBEBUILDER_ASSETS')
    return
  }
  await record.attempt(row, async () => {
    const name = 'elector'
    await using world = await startRealApiServer(assets)
    const site = await world.newSite()
    const token = await site.keeperToken(name)
    const kubeconfig = await writeKubeconfig(site, { token }, directory)
    await using child = startProcess({
      command: [
        ...[tool, '-kubeconfig', kubeconfig, '-lease-lock-name', name],
        ...['-lease-lock-namespace', site.namespace, '-id', 'e1'],
      ],
    })
    await child.waitFor(/successfully acquired lease/, 30_000)
    const [idle] = await watchIdle([child.pid], seconds)
    return { ...idle }
  })
}
