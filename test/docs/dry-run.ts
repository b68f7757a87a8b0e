import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { runCommand } from '@meili-ha/core/cli/run-program.ts'
import { fetcherCommand } from '@meili-ha/fetcher/commands/fetcher-command.ts'
import { keeperCommand } from '@meili-ha/lease-keeper/commands/keeper-command.ts'
import { uploaderCommand } from '@meili-ha/uploader/commands/uploader-command.ts'

/** The command lines that are documented. */
export const PROGRAMS: Readonly<Record<string, (host: Host) => Command>> = {
  uploader: uploaderCommand,
  fetcher: fetcherCommand,
  'lease-keeper': keeperCommand,
}

export interface DryRun {
  code: number
  stderr: string
  /** The command that would have run, and what it was given; undefined when parsing failed. */
  ran: { name: string; options: Record<string, unknown> } | undefined
}

/** A host that is no process; what is said to it is kept. */
export function dryHost(args: readonly string[]): Omit<Host, 'stderr'> & { stderr: PassThrough } {
  return {
    args,
    env: process.env,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    hostname: 'the-host',
    uid: 1000,
    signal: new AbortController().signal,
    kill: () => {},
  }
}

/**
 * Parses a command line with the real CLI, flags over `process.env` over defaults, and does nothing.
 * @param program of PROGRAMS
 */
export async function dryRun(program: string, args: readonly string[]): Promise<DryRun> {
  const build = PROGRAMS[program]
  if (!build) throw new Error(`there is no program ${program}`)
  const host = dryHost(args)
  let ran: DryRun['ran']
  const code = await runCommand(host, (real) => {
    const command = build(real)
    for (const child of command.commands) {
      child.action(() => {
        ran = { name: child.name(), options: child.opts() }
      })
    }
    return command
  })
  return { code, stderr: String(host.stderr.read() ?? ''), ran }
}
