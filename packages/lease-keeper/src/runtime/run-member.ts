import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { apiKeySource } from '@meili-ha/core/meilisearch/api-key.ts'
import { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { createLogger } from '@meili-ha/core/telemetry/logger.ts'
import { startServer } from '@meili-ha/core/telemetry/server.ts'
import type { RunFlags } from '../commands/keeper-flags.ts'
import { openLease, type OpenLease } from '../open-lease.ts'
import { settingsFromFlags } from '../settings-from-flags.ts'
import { assertLocalFilesystem } from '../signal/local-filesystem.ts'
import { SignalGuard } from '../signal/signal-guard.ts'
import { Keeper } from './keeper.ts'
import { keeperMetrics, refreshMetrics } from './keeper-metrics.ts'
import { promotionTold } from './on-promote.ts'
import { podEvents } from './pod-events.ts'
import type { Report } from './report.ts'
import { keeperRoutes } from './routes.ts'
import { HEARD, runKeeper } from './run-keeper.ts'
import { MemberStater } from './state-member.ts'
import { tellReport } from './tell-report.ts'
import { whenReachable } from './when-reachable.ts'

/** `lease-keeper run`: puts the parts together and lives until it has ended. */
export async function runMember(host: Host, flags: RunFlags): Promise<void> {
  const log = await createLogger(host, 'lease-keeper', flags)
  const clock = systemBootClock
  await using home = await haDirOf(flags)
  const ha = new HaDir(home.path)
  const settings = await settingsFromFlags(flags, ha, clock)
  if (flags.standby === 'cold') await assertLocalFilesystem(flags)
  const metrics = keeperMetrics()
  metrics.setPhase('starting')
  metrics.leaseSeconds.set(settings.timing.takeover / 100)
  let keeper: Keeper | undefined
  let away: MeiliHaError | undefined
  // Before the lease is open, which lasts as long as its store is away: probes would have it killed.
  const server = await startServer({
    listen: flags.listen,
    registry: metrics.registry,
    refresh: () => keeper && refreshMetrics(metrics, keeper),
    routes: keeperRoutes(
      () => keeper,
      () => away,
    ),
  })
  // Before, too: whoever led, or runs again, has no permit then but one that runs out.
  const guard = flags.stop === 'signal' ? new SignalGuard(ha, clock, log, host.kill) : undefined
  guard?.start()
  try {
    using lease = await openPatiently(host, flags, log, (why) => (away = why))
    if (!lease && flags.lease !== 'none') return
    const hook = promotionTold(flags.onPromote, ha, log)
    const events = lease?.kube ? podEvents(lease.kube.api, flags, log) : undefined
    const report = (what: Report) => {
      tellReport(log, metrics, what)
      events?.(what)
      if (what.event === 'promoted') hook(what.fields)
    }
    const wall = () => new Date().toISOString()
    const site = { ha, clock, wall, lease: lease?.backend, pods: lease?.kube?.pods, report }
    keeper = await Keeper.start(settings, site, log)
    const meili = new MeilisearchClient({
      url: flags.meiliUrl,
      apiKey: apiKeySource({ file: flags.apiKeyFile, value: host.env['MEILI_HA_API_KEY'] }),
      timeoutMs: 2000,
    })
    const stater = lease && new MemberStater(keeper, lease.statements, log)
    const name = lease?.backend.name ?? `fixed roles, ${flags.primary} leads`
    log.info(
      { event: 'keeper.started', member: flags.member, lease: name, port: server.port },
      `${flags.member} keeps ${name}`,
    )
    using bell = new HaBell(ha, HEARD)
    await runKeeper({ keeper, meili, bell, state: () => stater?.tick() }, host.signal)
  } finally {
    await guard?.stop()
    await server.close()
    log.info({ event: 'keeper.stopped' }, 'lease-keeper stopped')
  }
}

/** Undefined with fixed roles, and where it is told to stop first: then there is nothing to hand over. */
async function openPatiently(
  host: Host,
  flags: RunFlags,
  log: Logger,
  tell: (why: MeiliHaError | undefined) => void,
): Promise<OpenLease | undefined> {
  if (flags.lease === 'none') return undefined
  const open = () => openLease(host, flags, 'hold')
  return flags.lease === 'store' ? whenReachable(open, log, tell, host.signal) : open()
}

/** In signal mode nobody else reads the files: a directory of its own will do, and goes with the run. */
async function haDirOf(flags: RunFlags): Promise<{ path: string } & AsyncDisposable> {
  if (flags.haDir) return { path: flags.haDir, [Symbol.asyncDispose]: async () => {} }
  if (flags.stop === 'signal') {
    const path = await mkdtemp(join(tmpdir(), 'meili-ha-'))
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
  }
  throw new MeiliHaError('USAGE', '--ha-dir is required', {
    hint: 'Name the directory that guard, fetcher, uploader and lease-keeper of this member share.',
  })
}
