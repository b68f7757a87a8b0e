import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findTool } from './find-tool.ts'
import type { Gateway } from './gateway.ts'
import type { Command } from './measure.ts'

/** One thing that is done in several ways, all by commands. */
export interface Scenario {
  name: string
  /** Ours first: the others are compared with it. */
  ways: Way[]
}

export interface Way {
  name: string
  /** Undefined = it can't be done here, for this reason. */
  commands: Command[] | string
  /** Ours must stay within the memory that is promised. */
  ours?: true
}

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const UPLOADER = script('../../packages/uploader/src/cli.ts')
const FETCHER = script('../../packages/fetcher/src/cli.ts')

/**
 * The data path for one snapshot file.
 * @param directory may be written to; everything in it may go between two runs
 * @param run makes names that no earlier run used
 */
export function dataPath(
  snapshot: string,
  directory: string,
  gateway: Gateway | undefined,
  run: string,
): Scenario[] {
  const aws = findTool('aws', 'AWSCLI')
  const rclone = findTool('rclone')
  const bucket = gateway?.bucket
  const store = gateway ? `s3://${bucket}/${run}` : `file://${directory}/store/${run}`
  const object = `${bucket}/${run}-peer.snapshot`
  const out = join(directory, 'out')
  const copy = join(directory, 'copy.snapshot')
  const node = process.execPath
  const remote = `:s3,provider=Other,env_auth=true,endpoint='${gateway?.endpoint}':${object}`
  const onS3 = (tool: string | undefined, why: string, commands: (tool: string) => Command[]) => {
    if (!gateway) return 'no versitygw here'
    return tool === undefined ? why : commands(tool)
  }
  const unpack: Command[] = [
    ['tar', '-xzf', copy, '-C', out],
    ['sync', '-f', out],
  ]
  return [
    {
      name: 'publish',
      ways: [
        {
          name: 'uploader publish',
          ours: true,
          commands: [[node, UPLOADER, 'publish', snapshot, '--store', store]],
        },
        {
          name: 'aws s3 cp',
          commands: onS3(aws, 'no awscli here', (tool) => [
            [tool, 's3', 'cp', '--quiet', snapshot, `s3://${object}`],
          ]),
        },
        {
          name: 'rclone copyto',
          commands: onS3(rclone, 'no rclone here', (tool) => [[tool, 'copyto', snapshot, remote]]),
        },
        {
          name: 'lib-storage, its defaults',
          commands: onS3(node, '', (tool) => [
            [tool, script('lib-storage-upload.ts'), snapshot, `${bucket}`, `${run}-lib.snapshot`],
          ]),
        },
        {
          name: 'verification alone (part of ours)',
          commands: [[node, script('verify-file.ts'), snapshot]],
        },
      ],
    },
    {
      name: 'restore',
      ways: [
        {
          name: 'fetcher restore',
          ours: true,
          commands: [[node, FETCHER, 'restore', '--store', store, '--data-dir', out]],
        },
        {
          name: 'aws s3 cp, tar, sync',
          commands: onS3(aws, 'no awscli here', (tool) => [
            [tool, 's3', 'cp', '--quiet', `s3://${object}`, copy],
            ...unpack,
          ]),
        },
        {
          name: 'rclone copyto, tar, sync',
          commands: onS3(rclone, 'no rclone here', (tool) => [
            [tool, 'copyto', remote, copy],
            ...unpack,
          ]),
        },
      ],
    },
  ]
}

/** Empties what a restore fills, so that each begins with nothing. */
export async function clearOutput(directory: string): Promise<void> {
  await rm(join(directory, 'out'), { recursive: true, force: true })
  await rm(join(directory, 'copy.snapshot'), { force: true })
  await mkdir(join(directory, 'out'))
}
