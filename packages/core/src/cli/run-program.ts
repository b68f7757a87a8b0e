import { hostname } from 'node:os'
import { CommanderError, type Command } from 'commander'
import { isError, messageOf, MeiliHaError } from '../errors.ts'
import type { Host } from './host.ts'

type Process = Pick<
  NodeJS.Process,
  'argv' | 'env' | 'stdout' | 'stderr' | 'on' | 'exit' | 'getuid' | 'kill'
>

/**
 * Runs a program to its end: parses, prints an error as a person reads it, sets the exit code.
 * Exits explicitly, so that a forgotten handle never keeps a container alive.
 */
export async function runProgram(
  proc: Process,
  build: (host: Host) => Command | Promise<Command>,
): Promise<void> {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) proc.on(name, () => stop.abort(name))
  // A container's uid may have neither a name nor a home; the AWS SDK, who looks there, would fail.
  proc.env['HOME'] ??= '/'
  // A reader that closes the pipe (`list | head`) has seen enough; that is no failure.
  proc.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') proc.exit(0)
  })
  const host: Host = {
    args: proc.argv.slice(2),
    env: proc.env,
    stdout: proc.stdout,
    stderr: proc.stderr,
    hostname: hostname(),
    uid: proc.getuid?.() ?? 0,
    kill: (pid, signal) => void proc.kill(pid, signal),
    signal: stop.signal,
  }
  const code = await runCommand(host, build)
  await Promise.all([flushed(proc.stdout), flushed(proc.stderr)])
  proc.exit(code)
}

/** The same without a process: returns the exit code, for tests that run a CLI in place. */
export async function runCommand(
  host: Host,
  build: (host: Host) => Command | Promise<Command>,
): Promise<number> {
  try {
    const command = await build(host)
    await command.parseAsync([...host.args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    host.stderr.write(describeError(error))
    return isError(error) ? error.exitCode : 1
  }
}

/** `error MEILI_HA_X: sentence`, its causes, the hint: what a person sees last. */
export function describeError(error: unknown): string {
  const lines: string[] = []
  if (error instanceof MeiliHaError) {
    const remote = error.remoteCode ? ` (${error.remoteCode})` : ''
    lines.push(`error ${error.code}: ${error.message}${remote}`)
  } else {
    lines.push(`error: ${messageOf(error)}`)
  }
  let cause = error instanceof Error ? error.cause : undefined
  for (let depth = 0; cause !== undefined && depth < 5; depth++) {
    lines.push(`  because: ${messageOf(cause)}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  if (error instanceof MeiliHaError) lines.push(`  hint: ${error.hint}`)
  return `${lines.join('\n')}\n`
}

function flushed(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
