import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { flag, MORE } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { parseDuration, type ListenAddress } from '@meili-ha/core/cli/units.ts'
import { withSoleUse } from '@meili-ha/core/data-dir/sole-use.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import { apiKeySource } from '@meili-ha/core/meilisearch/api-key.ts'
import { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { startServer } from '@meili-ha/core/telemetry/server.ts'
import { followMetrics } from '../follow/follow-metrics.ts'
import { followRoutes } from '../follow/follow-server.ts'
import { Follower } from '../follow/follower.ts'
import { Gate } from '../follow/gate.ts'
import { outlive } from '../follow/outlive.ts'
import { MeilisearchWatch } from '../follow/watch-meilisearch.ts'
import { engineOf, wireMember } from '../wire.ts'
import { FETCHER_PORT, fetcherFlags, type FetcherFlags } from './fetcher-flags.ts'

type FollowFlags = FetcherFlags & {
  poll: number
  swapEvery: number
  meiliUrl: string
  apiKeyFile?: string
  listen: ListenAddress
}

/** `fetcher follow` */
export function followCommand(host: Host): Command {
  const common = commonFlags(host)
  const own = fetcherFlags(host)
  const command = describe(
    new Command('follow'),
    'Keep a standby close behind the newest snapshot: unpack beside it, swap when nobody reads.',
    'fetcher follow --store s3://backups/search --ha-dir /ha --lease none',
  )
  const duration = (flags: string, what: string, ms: number, shown: string) =>
    flag(host, flags, what, { parse: parseDuration, default: ms, shown })
  return addStoreFlags(command, common)
    .addOption(common.dataDir())
    .addOption(common.haDir().helpGroup('Options:'))
    .addOption(common.meiliUrl())
    .addOption(common.apiKeyFile())
    .addOption(duration('--poll <duration>', 'look for a newer snapshot this often', 30_000, '30s'))
    .addOption(
      duration('--swap-every <duration>', 'take one in at most this often', 0, '0: each one'),
    )
    .addOption(common.lease().helpGroup('Options:'))
    .addOption(common.member().helpGroup(MORE))
    .addOption(own.unknownData().helpGroup(MORE))
    .addOption(own.engineVersion().helpGroup(MORE))
    .addOption(own.upgrade())
    .addOption(common.listen(FETCHER_PORT))
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action((flags: FollowFlags) => follow(host, flags))
}

async function follow(host: Host, flags: FollowFlags): Promise<void> {
  const { haDir, lease } = flags
  if (!haDir) {
    throw new MeiliHaError('USAGE', '--ha-dir is required', {
      hint: 'Meilisearch must be started through guard.sh (`fetcher guard`), or a swap would pull its files away.',
    })
  }
  const ha = new HaDir(haDir)
  const life = { ...host, signal: lease === 'none' ? host.signal : outlive(host.signal, ha) }
  const member = await wireMember(life, { ...flags, ifNone: 'fail', timeout: 0 }, true)
  const { log, signal, store } = member
  const apiKey = apiKeySource({ file: flags.apiKeyFile, value: host.env['MEILI_HA_API_KEY'] })
  const meili = new MeilisearchClient({ url: flags.meiliUrl, apiKey, signal })
  const sleep = (ms: number) => delay(ms, undefined, { signal }).catch(() => {})
  using bell = new HaBell(ha, ['want'])
  const keyGiven = flags.apiKeyFile !== undefined || (await apiKey()) !== undefined
  const metrics = followMetrics()
  const follower = new Follower({
    ...member,
    ha,
    keeper: lease !== 'none',
    metrics,
    sleep,
    rest: (ms, toldMs) => bell.wait(ms, signal, toldMs),
    pollMs: flags.poll,
    swapEveryMs: flags.swapEvery,
    clock: systemBootClock,
    gate: new Gate({ ha, clock: systemBootClock, sleep }),
    watch: new MeilisearchWatch(meili, keyGiven, log),
    engine: () => engineOf(flags, ha),
    monotonic: () => performance.now(),
  })
  const server = await startServer({
    listen: flags.listen,
    registry: metrics.registry,
    routes: followRoutes(follower, meili),
  })
  log.info({ event: 'fetcher.started', port: server.port, store: store.url }, 'following')
  try {
    await withSoleUse(member.paths, signal, () => follower.run())
  } finally {
    await server.close()
    store.close()
    log.info({ event: 'fetcher.stopped' }, 'stopped')
  }
}
