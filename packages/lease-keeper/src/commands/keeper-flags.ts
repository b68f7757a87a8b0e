import type { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import type { StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { parseDuration, type ListenAddress } from '@meili-ha/core/cli/units.ts'
import { isInCluster } from '../kubernetes/in-cluster.ts'
import type { Command } from 'commander'

/** The port of role routes, metrics, health and status. */
export const KEEPER_PORT = 7713

/** What every command is given to find the lease. */
export interface LeaseFlags extends StoreFlags {
  cluster: string
  lease: 'kubernetes' | 'store' | 'none'
  member: string
  podName: string
  podUid?: string
  leaseDuration: number
  logLevel: string
  logFormat?: 'pretty' | 'json'
}

export interface RunFlags extends LeaseFlags {
  primary?: string
  bootstrapMember?: string
  failover: 'auto' | 'manual'
  failoverDelay: number
  maxLoss?: number
  unhealthyAfter: number
  catchUpTimeout: number
  drainLimit?: number
  standby: 'warm' | 'cold'
  stop: 'guard' | 'signal'
  onPromote?: string
  acceptNetworkFilesystem?: boolean
  dataDir: string
  haDir?: string
  meiliUrl: string
  apiKeyFile?: string
  listen: ListenAddress
}

export function keeperFlags(host: Host) {
  const kind = isInCluster(host.env) ? 'kubernetes' : 'store'
  const more = true
  return {
    cluster: () =>
      flag(
        host,
        '--cluster <name>',
        'names the lease, and the label of the pods',
      ).makeOptionMandatory(),
    lease: () =>
      flag(host, '--lease <kind>', 'where the lease is kept; none = fixed roles, with --primary', {
        choices: ['kubernetes', 'store', 'none'],
        default: kind,
      }),
    primary: () => flag(host, '--primary <member>', 'with --lease none: who always leads'),
    bootstrapMember: () =>
      flag(host, '--bootstrap-member <member>', 'who alone may begin a new cluster'),
    leaseDuration: () =>
      flag(host, '--lease-duration <duration>', 'all times of the lease follow from it; 5s to 5m', {
        parse: parseDuration,
        default: 15_000,
        shown: '15s',
      }),
    failover: () =>
      flag(host, '--failover <mode>', 'manual waits for `lease-keeper promote`', {
        choices: ['auto', 'manual'],
        default: 'auto',
      }),
    failoverDelay: () =>
      flag(host, '--failover-delay <duration>', 'gives the old primary a chance to return', {
        parse: parseDuration,
        default: 0,
        shown: '0s',
        more,
      }),
    maxLoss: () =>
      flag(host, '--max-loss <duration>', 'no automatic promotion that would lose more', {
        parse: parseDuration,
      }),
    unhealthyAfter: () =>
      flag(host, '--unhealthy-after <duration>', 'a primary so long unhealthy steps down', {
        parse: parseDuration,
        default: 30_000,
        shown: '30s',
        more,
      }),
    catchUpTimeout: () =>
      flag(
        host,
        '--catch-up-timeout <duration>',
        'a promotion so long without progress is given up',
        {
          parse: parseDuration,
          default: 60_000,
          shown: '60s',
          more,
        },
      ),
    drainLimit: () =>
      flag(
        host,
        '--drain-limit <duration>',
        'a hand-over may take so long (unset: while it moves)',
        {
          parse: parseDuration,
          more,
        },
      ),
    standby: () =>
      flag(host, '--standby <kind>', 'cold: one volume, Meilisearch runs on the primary alone', {
        choices: ['warm', 'cold'],
        default: 'warm',
        more,
      }),
    stop: () =>
      flag(host, '--stop <how>', 'signal: no guard, a shared process namespace instead', {
        choices: ['guard', 'signal'],
        default: 'guard',
        more,
      }),
    onPromote: () =>
      flag(host, '--on-promote <url-or-command>', 'told of each promotion, as JSON', { more }),
    acceptNetworkFilesystem: () =>
      flag(
        host,
        '--accept-network-filesystem',
        "with --standby cold: the volume's driver fences the old node",
        { more },
      ),
    podName: () =>
      flag(host, '--pod-name <name>', 'of the own pod', { default: host.hostname, more }),
    podUid: () =>
      flag(host, '--pod-uid <uid>', 'of the own pod, from the downward API (metadata.uid)', {
        more,
      }),
  }
}

/** Adds what every command needs to find the lease. */
export function addLeaseFlags(
  command: Command,
  host: Host,
  common: ReturnType<typeof commonFlags>,
): Command {
  const own = keeperFlags(host)
  command.addOption(own.cluster()).addOption(own.lease())
  return addStoreFlags(command, common)
    .addOption(own.leaseDuration())
    .addOption(own.podName())
    .addOption(own.podUid())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
}
