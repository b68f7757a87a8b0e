import { startProgram } from '../harness/process.ts'
import { cliOf } from '../uploader/programs.ts'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
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
