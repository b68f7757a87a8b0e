import { Writable } from 'node:stream'
import type { Command } from 'commander'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { runCommand } from '@meili-ha/core/cli/run-program.ts'

/** A whole command line inside the test's own process: what it prints, and its exit code. */
export async function runInPlace(
  build: (host: Host) => Command,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof said) =>
    new Writable({
      write(chunk: Buffer, _, done) {
        said[name] += chunk.toString()
        done()
      },
    })
  const host = {
    args,
    env,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    hostname: 'm2',
    kill: () => {},
    uid: process.getuid?.() ?? 0,
    signal: new AbortController().signal,
  }
  const code = await runCommand(host, build)
  return { code, ...said }
}
