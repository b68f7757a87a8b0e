import { readdir } from 'node:fs/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import { KubernetesLease } from '@meili-ha/lease-keeper/lease/kubernetes-lease.ts'
import type { Statement } from '@meili-ha/lease-keeper/members/statement.ts'
import { StoreStatements } from '@meili-ha/lease-keeper/members/store-statements.ts'
import { PodStatements } from '@meili-ha/lease-keeper/members/pod-statements.ts'
import { Pods } from '@meili-ha/lease-keeper/kubernetes/pods.ts'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { startProxy } from '../harness/proxy.ts'
import { startProgram } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { startInProcessWorld } from '../kube/in-process-world.ts'
import { accessOf, clientOf, createPod, writeKubeconfig } from '../kube/kube-site.ts'
import { cliOf, eventsOf } from '../uploader/programs.ts'
import { leaseIn, leaseKeeperHere } from './keeper-cli.ts'

afterEach(() => vi.unstubAllEnvs())

const HELD: LeaseRecord = {
  holder: 'uid-1/nonce',
  member: 'm1',
  epoch: 4,
  renewals: 9,
  durationMs: 5000,
  renewedAt: '2026-01-02T03:04:05.678Z',
  released: null,
  served: true,
  paused: false,
  request: null,
}

const M1: Statement = {
  member: 'm1',
  role: 'primary',
  phase: 'primary',
  epoch: 4,
  snapshot: '0000000004-0000000002',
  snapshotStartedAt: '2026-01-02T03:04:00.000Z',
  lagMs: 0,
  notReady: null,
  waits: null,
  handoverMs: 1500,
  leaseDurationMs: 5000,
  promoted: { epoch: 4, at: '2026-01-02T03:00:00.000Z', lossMs: 7000 },
  statedAt: '2026-01-02T03:04:05.678Z',
}

const M2: Statement = {
  ...M1,
  member: 'm2',
  role: 'standby',
  phase: 'standby',
  lagMs: 1200,
  notReady: 'the store does not answer',
  handoverMs: null,
  promoted: null,
}

/** A store with the lease and what the members say. */
async function storeWith(root: string): Promise<string> {
  const url = `file://${root}/store`
  const store = openStore(url)
  await storeLease(store, { timeoutMs: 5000, clock: REAL_CLOCK }).create(HELD)
  const statements = new StoreStatements(store)
  await statements.state(M1)
  await statements.state(M2)
  return url
}

describe('lease-keeper on a store', () => {
  test('shows members, epoch, lag, the last failover and what would be lost now', async () => {
    await using root = await tempDir()
    const lease = leaseIn(await storeWith(root.path))
    const { code, stdout } = await leaseKeeperHere(['status', ...lease])
    expect(code).toBe(0)
    expect(stdout).toContain('cluster test: m1 leads, epoch 4')
    expect(stdout).toMatch(/^m1 +primary +primary +0000000004-0000000002 /m)
    expect(stdout).toMatch(/^m2 +standby .* 1\.2 s +the store does not answer/m)
    expect(stdout).toContain(
      'last promotion: m1 in epoch 4 at 2026-01-02T03:00:00.000Z, lost 7.0 s',
    )
    expect(stdout).toMatch(/loss if the primary died now: .+ of writes/)
    const json = await leaseKeeperHere(['status', ...lease, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      cluster: 'test',
      lease: { epoch: 4, member: 'm1' },
      members: [
        { member: 'm1', leads: true },
        { member: 'm2', leads: false },
      ],
    })
  })

  test('of an empty store says so, and {} for machines, with exit code 0', async () => {
    await using root = await tempDir()
    const lease = leaseIn(`file://${root.path}/store`)
    expect(await leaseKeeperHere(['status', ...lease])).toMatchObject({
      code: 0,
      stdout: 'cluster test: no lease record yet\n',
    })
    expect(await leaseKeeperHere(['status', ...lease, '--json'])).toMatchObject({
      code: 0,
      stdout: '{}\n',
    })
  })

  test('shows, checks and names a --lease-duration that is not the same on all members', async () => {
    await using root = await tempDir()
    const url = await storeWith(root.path)
    const lease = leaseIn(url)
    const row = /^all members run with one --lease-duration +/m
    const agreed = await leaseKeeperHere(['status', ...lease])
    expect(agreed.stdout).not.toContain('--lease-duration')
    expect((await leaseKeeperHere(['check', ...lease])).stdout).toMatch(
      new RegExp(`${row.source}ok`, 'm'),
    )

    await new StoreStatements(openStore(url)).state({ ...M2, leaseDurationMs: 15_000 })
    const status = await leaseKeeperHere(['status', ...lease])
    expect(status.stdout).toContain(
      '--lease-duration differs, and the longest counts: m1 5.0 s, m2 15.0 s',
    )
    const check = await leaseKeeperHere(['check', ...lease])
    expect(check.code).toBe(1)
    expect(check.stdout).toMatch(
      new RegExp(`${row.source}failed +m1 5.0 s, m2 15.0 s[^]*hint: Give all`, 'm'),
    )
  })

  test('run warns once of a holder with another --lease-duration', async () => {
    await using root = await tempDir()
    const lease = [...leaseIn(await storeWith(root.path)), '--lease-duration', '15s']
    const args = ['run', ...lease, '--ha-dir', root.path, '--member', 'm2', '--listen', 'off']
    await using child = startProgram(cliOf('lease-keeper'), args)
    await child.waitFor(/lease_durations_differ.*--lease-duration/)
    const warned = () =>
      eventsOf(child).filter(({ event }) => event === 'keeper.lease_durations_differ')
    // It goes on reading the record, in which nothing changes.
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(warned()).toMatchObject([{ level: 'warn', holder: 'm1', holderMs: 5000, ownMs: 15_000 }])
  })

  test('run waits for a store that is away when it starts, and ends when it is told to', async () => {
    await using root = await tempDir()
    await using server = await startS3Server()
    await using proxy = await startProxy(Number(new URL(server.endpoint).port))
    proxy.partition('refuse')
    const env = {
      ...environmentOf(server),
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}`,
      MEILI_HA_DIR: root.path,
    }
    const store = `s3://${server.bucketName}/x`
    const args = ['run', '--cluster', 'test', '--lease', 'store', '--store', store]
    const start = () => startProgram(cliOf('lease-keeper'), [...args, '--listen', 'off'], { env })
    await using waiting = start()
    await waiting.waitFor(/waits: .*/, 30_000)
    expect(await waiting.kill('SIGTERM')).toEqual({ code: 0, signal: null })

    await using child = start()
    await child.waitFor(/waits: .*/, 30_000)
    proxy.heal()
    await child.waitFor(/keeps .*lease/, 30_000)
  })

  test('--watch prints until it is told to stop, and ends well', async () => {
    await using root = await tempDir()
    const lease = leaseIn(await storeWith(root.path))
    await using child = startProgram(cliOf('lease-keeper'), ['status', ...lease, '--watch'])
    await child.waitFor(/m1 leads[^]*m1 leads/)
    expect(await child.kill('SIGINT')).toEqual({ code: 0, signal: null })
  })

  test('asks nothing of a cluster that has no record', async () => {
    await using root = await tempDir()
    const lease = leaseIn(`file://${root.path}/store`)
    for (const args of [['switchover'], ['promote', '--to', 'm2'], ['pause'], ['resume']]) {
      const { code, stderr } = await leaseKeeperHere([...args, ...lease])
      expect({ args, code }).toEqual({ args, code: 20 })
      expect(stderr).toContain('has no record yet')
      expect(stderr).toContain('check --cluster')
    }
  })

  test('prints the gap that a switch-over costs before it asks for it', async () => {
    await using root = await tempDir()
    const url = await storeWith(root.path)
    const asked = await leaseKeeperHere(['switchover', ...leaseIn(url), '--timeout', '0s'])
    expect(asked).toMatchObject({ code: 0, stdout: 'write gap: about 1.5 s\n' })
    const found = await storeLease(openStore(url), { timeoutMs: 5000, clock: REAL_CLOCK }).read()
    expect(found?.record).toMatchObject({ epoch: 4, request: { verb: 'switchover', to: null } })
    const already = await leaseKeeperHere(['switchover', ...leaseIn(url), '--to', 'm1'])
    expect(already).toMatchObject({ code: 0, stdout: 'm1 leads already\n' })
  })

  test('a switch-over that nobody answers ends with its time-out, and says who leads', async () => {
    await using root = await tempDir()
    const url = await storeWith(root.path)
    await new StoreStatements(openStore(url)).state({ ...M2, notReady: null })
    const args = ['switchover', ...leaseIn(url), '--to', 'm2', '--timeout', '1s']
    const asked = await leaseKeeperHere(args)
    expect(asked.code).toBe(1)
    expect(asked.stderr).toContain('m1 holds the lease')
  })

  test('a switch-over to one that says it is not ready asks nothing of the primary', async () => {
    await using root = await tempDir()
    const url = await storeWith(root.path)
    await new StoreStatements(openStore(url)).state({ ...M2, notReady: 'no room on its disk' })
    const asked = await leaseKeeperHere(['switchover', ...leaseIn(url), '--to', 'm2'])
    expect(asked.code).toBe(1)
    expect(asked.stderr).toMatch(/m2 is not ready: nothing was asked for: no room on its disk/)
    const found = await storeLease(openStore(url), { timeoutMs: 5000, clock: REAL_CLOCK }).read()
    expect(found?.record.request).toBeNull()
  })

  test.each(['switchover', 'promote'])(
    '%s asks nothing for a name that nobody bears',
    async (verb) => {
      await using root = await tempDir()
      const url = await storeWith(root.path)
      const asked = await leaseKeeperHere([verb, ...leaseIn(url), '--to', 'm9', '--timeout', '1s'])
      expect(asked.code).toBe(1)
      expect(asked.stderr).toMatch(/there is no member m9[^]*hint: .*m1, m2/)
      const found = await storeLease(openStore(url), { timeoutMs: 5000, clock: REAL_CLOCK }).read()
      expect(found?.record.request).toBeNull()
    },
  )

  test.each(['switchover', 'promote'])(
    '%s asks nothing of a member that has been silent for minutes',
    async (verb) => {
      await using root = await tempDir()
      const url = `file://${root.path}/store`
      const store = openStore(url)
      const now = new Date()
      const lease = storeLease(store, { timeoutMs: 5000, clock: REAL_CLOCK })
      await lease.create({ ...HELD, renewedAt: now.toISOString() })
      const statements = new StoreStatements(store)
      await statements.state({ ...M1, statedAt: now.toISOString() })
      const before = new Date(now.getTime() - 600_000).toISOString()
      await statements.state({ ...M2, notReady: null, statedAt: before })

      const asked = await leaseKeeperHere([verb, ...leaseIn(url), '--to', 'm2', '--timeout', '1s'])
      expect(asked.code).toBe(1)
      expect(asked.stderr).toMatch(
        /m2 has said nothing for 10m 00s.*nothing was asked for[^]*hint: /,
      )
      expect((await lease.read())?.record.request).toBeNull()
      const { stdout } = await leaseKeeperHere(['status', ...leaseIn(url)])
      expect(stdout).toMatch(/^m2 .* silent for 10m 00s/m)
      expect(stdout).not.toMatch(/^m1 .* silent/m)
    },
  )

  test('checks what it was given, and marks the rest as skipped', async () => {
    await using root = await tempDir()
    const { code, stdout } = await leaseKeeperHere([
      'check',
      ...leaseIn(`file://${root.path}/store`),
    ])
    expect(stdout).not.toContain('failed')
    expect(stdout).toMatch(/skipped/)
    expect(code).toBe(0)
    const bad = await leaseKeeperHere([
      ...['check', ...leaseIn(`file://${root.path}/store`), '--ha-dir', root.path],
      ...['--meili-url', 'http://127.0.0.1:9'],
    ])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/no heartbeat[^]*hint: /)
  })

  test.each([
    [['status'], 2, '--cluster'],
    [['status', '--cluster', 'x', '--lease', 'store'], 2, '--store'],
    [['status', '--cluster', 'x', '--lease', 'none'], 2, 'no lease record'],
    [['run', '--cluster', 'x', '--lease', 'none', '--ha-dir', '/tmp'], 2, '--primary'],
    [['run', '--cluster', 'x', '--lease', 'store', '--store', 'file:///tmp/x'], 2, '--ha-dir'],
    [['run', '--cluster', 'x', '--lease-duration', '1s', '--ha-dir', '/tmp'], 2, '5s to 5m'],
    [['nonsense'], 2, 'unknown command'],
  ])('%j is a usage error that names what is wrong', async (args, code, said) => {
    const ran = await leaseKeeperHere(args)
    expect(ran.stderr).toContain(said)
    expect(ran.code).toBe(code)
  })

  test('help shows one sentence and one example for each command', async () => {
    const all = await leaseKeeperHere(['--help'])
    expect(all.code).toBe(0)
    for (const command of ['run', 'status', 'switchover', 'promote', 'pause', 'resume', 'check']) {
      expect(all.stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    }
    const one = await leaseKeeperHere(['switchover', '--help'])
    expect(one.stdout).toContain(
      'Example:\n  lease-keeper switchover --cluster search --to search-1',
    )
  })
})

test('in signal mode a keeper without --ha-dir takes its own directory away when it ends', async () => {
  await using root = await tempDir()
  vi.stubEnv('TMPDIR', root.path)
  const told = new AbortController()
  // Nothing is really killed in here: other tests' Meilisearch may run beside it.
  const args = ['--stop', 'signal', '--lease', 'none', '--primary', 'm2', '--member', 'm1']
  const ran = leaseKeeperHere(['run', '--cluster', 'test', ...args, '--listen', 'off'], told.signal)
  await until('it has one', async () => (await readdir(root.path)).length === 1)
  told.abort()
  expect((await ran).code).toBe(0)
  expect(await readdir(root.path)).toEqual([])
})

describe('lease-keeper on Kubernetes, from a laptop', () => {
  test('status, pause and check need a kubeconfig and say what is missing', async () => {
    await using root = await tempDir()
    await using world = await startInProcessWorld()
    const site = await world.newSite()
    const uid = await createPod(site, 'm1', 'test')
    const token = await site.keeperToken('test')
    using api = clientOf(accessOf(site, token))
    await new KubernetesLease(api, 'test').create(HELD)
    await new PodStatements(new Pods(api, { name: 'm1', uid, cluster: 'test' })).state(M1)
    vi.stubEnv('KUBECONFIG', await writeKubeconfig(site, { token }, root.path))
    const lease = ['--cluster', 'test', '--lease', 'kubernetes']

    const status = await leaseKeeperHere(['status', ...lease])
    expect(status).toMatchObject({ code: 0 })
    expect(status.stdout).toContain('m1 leads, epoch 4')
    expect(status.stdout).toMatch(/^m1 +primary/m)
    expect(await leaseKeeperHere(['pause', ...lease])).toMatchObject({ code: 0 })
    const paused = await leaseKeeperHere(['status', ...lease])
    expect(paused.stdout).toContain('failover paused')
    const check = await leaseKeeperHere(['check', ...lease])
    expect(check.stdout).toMatch(/^may update leases test +ok/m)
    expect(check.stdout).not.toContain('failed')

    // Another cluster's Role: every right is named, with the hint.
    const stranger = { token: await site.keeperToken('other') }
    vi.stubEnv('KUBECONFIG', await writeKubeconfig(site, stranger, root.path))
    const denied = await leaseKeeperHere(['check', ...lease])
    expect(denied.code).toBe(1)
    expect(denied.stdout).toMatch(/^may update leases test +failed +denied\n +hint: Bind the Role/m)
    const refused = await leaseKeeperHere(['status', ...lease])
    expect(refused.code).toBe(10)
    for (const { stdout, stderr } of [status, check, denied, refused]) {
      expect(stdout + stderr).not.toContain(token)
    }
  })
})
