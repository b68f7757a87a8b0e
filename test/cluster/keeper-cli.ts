import { Writable } from 'node:stream'
import { runCommand } from '@meili-ha/core/cli/run-program.ts'
import { keeperCommand } from '@meili-ha/lease-keeper/commands/keeper-command.ts'
import { startProgram } from '../harness/process.ts'
import { cliOf } from '../uploader/programs.ts'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** The same inside the test: a tenth of the time, for what ends by itself, or when `signal` tells it to. */
export async function leaseKeeperHere(
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) =>
    new Writable({
      write: (chunk: Buffer, _, done) => {
        said[name] += chunk.toString()
        done()
      },
    })
  const host = {
    args,
    env: {},
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    hostname: 'here',
    uid: 0,
    kill: () => {},
    signal,
  }
  return { code: await runCommand(host, keeperCommand), ...said }
}

/** Runs `lease-keeper ARGS` to its end. */
export async function leaseKeeper(
  args: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<Ran> {
  await using child = startProgram(cliOf('lease-keeper'), args, { env })
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

/** Where a store keeps the lease of the tests' cluster. */
export const leaseIn = (storeUrl: string): string[] => [
  ...['--cluster', 'test', '--lease', 'store', '--store', storeUrl, '--lease-duration', '5s'],
  ...['--log-format', 'json'],
]
