import { findTool } from './find-tool.ts'
import type { Gateway } from './gateway.ts'
import type { Command } from './measure.ts'

/** What people copy files to a bucket with; undefined where it isn't there. */
export interface Peer {
  name: string
  /** Why it can't be run here. */
  missing?: string
  up: (file: string, key: string) => Command
  down: (key: string, file: string) => Command
}

/** `aws s3 cp` and `rclone copyto`, each against the gateway. */
export function peersOn(gateway: Gateway): Peer[] {
  const aws = findTool('aws', 'AWSCLI')
  const rclone = findTool('rclone', 'RCLONE')
  const endpoint = `endpoint='${gateway.endpoint}'`
  const remote = (key: string) =>
    `:s3,provider=Other,env_auth=true,${endpoint}:${gateway.bucket}/${key}`
  const url = (key: string) => `s3://${gateway.bucket}/${key}`
  const copy = (from: string, to: string): Command => [
    aws ?? 'aws',
    's3',
    'cp',
    '--quiet',
    from,
    to,
  ]
  const clone = (from: string, to: string): Command => [rclone ?? 'rclone', 'copyto', from, to]
  return [
    {
      name: 'aws s3 cp',
      ...(aws === undefined && { missing: 'no awscli on PATH or in AWSCLI' }),
      up: (file, key) => copy(file, url(key)),
      down: (key, file) => copy(url(key), file),
    },
    {
      name: 'rclone copyto',
      ...(rclone === undefined && { missing: 'no rclone on PATH or in RCLONE' }),
      up: (file, key) => clone(file, remote(key)),
      down: (key, file) => clone(remote(key), file),
    },
  ]
}
