import { InvalidArgumentError } from 'commander'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import type { StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { parseDuration } from '@meili-ha/core/cli/units.ts'
import { isVersion } from '@meili-ha/core/archive/version.ts'

/** The port of metrics, health and status. */
export const FETCHER_PORT = 7712

/** What the commands that touch a member's data directory may be given. */
export interface FetcherFlags extends StoreFlags {
  dataDir: string
  member: string
  lease?: string
  haDir?: string
  ifNone: 'start-empty' | 'fail'
  unknownData: 'fail' | 'keep' | 'set-aside'
  engineVersion?: string
  upgrade?: boolean
  timeout: number
  logLevel: string
  logFormat?: 'pretty' | 'json'
}

export function fetcherFlags(host: Host) {
  return {
    ifNone: () =>
      flag(host, '--if-none <what>', 'when the store was never used and there is no data', {
        default: 'start-empty',
        choices: ['start-empty', 'fail'],
      }),
    unknownData: () =>
      flag(host, '--unknown-data <what>', 'when there is data that meili-ha knows nothing about', {
        default: 'fail',
        choices: ['fail', 'keep', 'set-aside'],
      }),
    engineVersion: () =>
      flag(
        host,
        '--engine-version <version>',
        'the Meilisearch that will run (unset: from --ha-dir)',
        {
          parse: parseVersion,
        },
      ),
    upgrade: () =>
      flag(host, '--upgrade', 'let a newer Meilisearch upgrade data that took writes', {
        more: true,
      }),
    timeout: () =>
      flag(host, '--timeout <duration>', 'give up after this long without progress', {
        parse: parseDuration,
        default: 600_000,
        shown: '10m',
      }),
    json: () => flag(host, '--json', 'print JSON'),
  }
}

function parseVersion(text: string): string {
  const version = versionIn(text)
  if (version === undefined) throw new InvalidArgumentError('expected a version such as 1.50.0.')
  return version
}

/** The version in `v1.50.0`, or in what `meilisearch --version` prints. */
export function versionIn(text: string): string | undefined {
  const word = text.trim().split(/\s+/).at(-1)?.replace(/^v/, '')
  return word !== undefined && isVersion(word) ? word : undefined
}

/** @throws InvalidArgumentError for what is no time */
export function parseTime(text: string): Date {
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('expected a time such as 2026-11-23T07:49:29Z.')
  }
  return time
}
