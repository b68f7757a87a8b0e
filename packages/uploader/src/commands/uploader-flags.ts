import type { Host } from '@meili-ha/core/cli/host.ts'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import {
  parseCount,
  parseDuration,
  parseGzipLevel,
  parsePercent,
  type ListenAddress,
} from '@meili-ha/core/cli/units.ts'

/** The port of metrics, health and status. */
export const UPLOADER_PORT = 7711

/** What every command of the uploader may be given. */
export interface UploaderFlags extends StoreFlags {
  dataDir: string
  meiliUrl: string
  apiKeyFile?: string
  member: string
  lease?: string
  haDir?: string
  annotateCommand?: string
  listen: ListenAddress
  logLevel: string
  logFormat?: 'pretty' | 'json'
  keepLast: number
  keepDaily: number
  sweepGrace: number
  dryRun?: boolean
}

export function uploaderFlags(host: Host) {
  return {
    every: () =>
      flag(host, '--every <duration>', 'ask Meilisearch for a snapshot when tasks changed', {
        parse: parseDuration,
        default: 0,
        shown: 'off',
      }),
    maxDuty: () =>
      flag(host, '--max-duty <percent>', 'share of the time that --every may spend on snapshots', {
        parse: parsePercent,
        default: 0.2,
        shown: '20%',
      }),
    annotateCommand: () =>
      flag(
        host,
        '--annotate-command <command>',
        "what it prints (a queue's offset) is kept with the snapshot",
      ),
    keepLast: () =>
      flag(host, '--keep-last <count>', 'keep at least this many good snapshots', {
        parse: parseCount,
        default: 5,
      }),
    keepDaily: () =>
      flag(host, '--keep-daily <days>', 'and the newest of each of this many days', {
        parse: parseCount,
        default: 7,
      }),
    sweepGrace: () =>
      // Longer than any upload stays unpublished; short enough that no bill shows it.
      flag(host, '--sweep-grace <duration>', 'how long no manifest names what is then deleted', {
        parse: parseDuration,
        default: 3_600_000,
        shown: '1h',
        more: true,
      }),
    ifPrimary: () =>
      flag(host, '--if-primary', 'do nothing, and succeed, on a member that does not lead', {
        more: true,
      }),
    snapshotTimeout: () =>
      flag(host, '--timeout <duration>', 'give up after this long; 0 = never', {
        parse: parseDuration,
        default: 0,
        shown: '0',
        more: true,
      }),
    archiveLevel: () =>
      flag(host, '--archive-level <0-9>', 'gzip level of the last snapshot at a hand-over', {
        parse: parseGzipLevel,
        default: 0,
        more: true,
      }),
    dryRun: () =>
      flag(host, '--dry-run', 'say what retention would remove, remove nothing', { more: true }),
  }
}
