import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import { startProcess, startProgram, type RunningProcess } from '../harness/process.ts'
import { cliOf } from '../uploader/programs.ts'

const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))

/** A member of a cold pair: guard and keeper on a directory that is not its own. */
export interface ColdMember extends AsyncDisposable {
  name: string
  url: string
  guard: RunningProcess
  keeper: RunningProcess
  route(path: string): Promise<number>
  /** SIGKILL to everything at once. */
  powerOff(): Promise<void>
}

export interface SharedVolume {
  data: string
  /** Has a line for each Meilisearch that was started while another still ran. */
  violations: string
  /** Starts Meilisearch; every one holds a lock for as long as it lives. */
  command: string
}

/** The directory that both members run on, with a Meilisearch that notices when it isn't alone. */
export async function sharedVolume(root: string): Promise<SharedVolume> {
  const data = join(root, 'volume')
  const [lock, violations, command] = ['lock', 'violations', 'meilisearch'].map((name) =>
    join(root, name),
  ) as [string, string, string]
  await mkdir(data)
  await writeFile(violations, '')
  const words = meilisearchCommand().map((word) => `'${word}'`)
  // The descriptor is inherited: the kernel drops the lock with the last process that has it.
  const script = [
    '#!/bin/sh',
    `[ "$1" = --version ] && exec ${words.join(' ')} "$@"`,
    `exec 9>'${lock}'`,
    `flock -n 9 || echo "$$" >>'${violations}'`,
    `exec ${words.join(' ')} "$@"`,
  ]
  await writeFile(command, `${script.join('\n')}\n`)
  await chmod(command, 0o755)
  return { data, violations, command }
}

/** Starts guard and keeper of one member. */
export async function startColdMember(
  root: string,
  name: string,
  { data, command }: SharedVolume,
  storeUrl: string,
): Promise<ColdMember> {
  const ha = new HaDir(join(root, `${name}-ha`))
  await rm(ha.path, { recursive: true, force: true })
  await mkdir(ha.path)
  const [port, keeperPort] = await Promise.all([freePort(), freePort()])
  const url = `http://127.0.0.1:${port}`
  const guard = startProcess({
    command: [
      ...['/bin/sh', GUARD, command, '--db-path', join(data, 'data.ms')],
      ...['--http-addr', `127.0.0.1:${port}`, '--no-analytics'],
    ],
    env: { MEILI_HA_DIR: ha.path },
    cwd: data,
  })
  const keeper = startProgram(cliOf('lease-keeper'), [
    ...['run', '--standby', 'cold', '--cluster', 'test', '--lease', 'store', '--store', storeUrl],
    ...['--lease-duration', '5s', '--member', name, '--ha-dir', ha.path, '--data-dir', data],
    ...['--meili-url', url, '--listen', `127.0.0.1:${keeperPort}`, '--log-format', 'json'],
  ])
  const powerOff = async () => {
    await Promise.all([guard[Symbol.asyncDispose](), keeper[Symbol.asyncDispose]()])
  }
  return {
    name,
    url,
    guard,
    keeper,
    route: async (path) => {
      const answer = fetch(`http://127.0.0.1:${keeperPort}${path}`)
      return answer.then(({ status }) => status).catch(() => 0)
    },
    powerOff,
    [Symbol.asyncDispose]: powerOff,
  }
}
