import { InvalidArgumentError, type Option } from 'commander'
import { flag } from './flags.ts'
import type { Host } from './host.ts'
import { parseListen } from './units.ts'

/** Flags that mean the same in every program; a command takes those it needs. */
export function commonFlags(host: Host) {
  return {
    store: () =>
      flag(host, '--store <url>', 'where snapshots are kept: s3://bucket/prefix or file:///dir'),
    dataDir: () =>
      flag(host, '--data-dir <dir>', "Meilisearch's working directory (data.ms, snapshots)", {
        default: '/meili_data',
      }),
    meiliUrl: () =>
      flag(host, '--meili-url <url>', 'where Meilisearch answers', {
        default: 'http://127.0.0.1:7700',
      }),
    apiKeyFile: () =>
      flag(host, '--api-key-file <file>', 'file with a Meilisearch key (or MEILI_HA_API_KEY)'),
    lease: () =>
      flag(host, '--lease <kind>', 'none = no lease-keeper gives permits', {
        more: true,
        choices: ['none', 'kubernetes', 'store'],
      }),
    haDir: () =>
      flag(host, '--ha-dir <dir>', 'directory shared with guard and lease-keeper; unset = alone', {
        // The guard reads the same variable: one setting for the whole member.
        env: 'MEILI_HA_DIR',
        more: true,
      }),
    member: () =>
      flag(host, '--member <name>', 'the name of this member', {
        parse: parseMember,
        default: host.hostname,
      }),
    listen: (port: number) =>
      flag(host, '--listen <address>', 'metrics, health and status; `off` for none', {
        parse: parseListen,
        default: { host: undefined, port },
        shown: `:${port}`,
        more: true,
      }),
    logLevel: () =>
      flag(host, '--log-level <level>', 'how much to say', {
        default: 'info',
        choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
        more: true,
      }),
    logFormat: () =>
      flag(host, '--log-format <format>', 'unset: pretty on a terminal, JSON elsewhere', {
        choices: ['pretty', 'json'],
        more: true,
      }),
    ...storeFlags(host),
  } satisfies Record<string, ((port: number) => Option) | (() => Option)>
}

/** It is written into every manifest, where an empty one makes the snapshot unreadable. */
function parseMember(name: string): string {
  if (name.trim() !== '' && !/\p{Cc}/u.test(name)) return name
  throw new InvalidArgumentError('expected a name of printable characters.')
}

/** What only some stores need; credentials come through the AWS variables alone. */
function storeFlags(host: Host) {
  return {
    sse: () =>
      flag(host, '--sse <kind>', 'server-side encryption', {
        choices: ['AES256', 'aws:kms'],
        more: true,
      }),
    sseKmsKeyId: () => flag(host, '--sse-kms-key-id <id>', 'key for --sse aws:kms', { more: true }),
    storageClass: () =>
      flag(host, '--storage-class <class>', 'S3 storage class of tarballs', { more: true }),
    s3PathStyle: () =>
      flag(host, '--s3-path-style <when>', 'bucket in the path (unset: with an own endpoint)', {
        choices: ['yes', 'no'],
        more: true,
      }),
    s3Checksums: () =>
      flag(host, '--s3-checksums <when>', 'SHA-256 with every upload', {
        choices: ['auto', 'on', 'off'],
        default: 'auto',
        more: true,
      }),
  }
}
