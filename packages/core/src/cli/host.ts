import type { Writable } from 'node:stream'

/** What a program takes from its process. Only cli.ts touches `process`; everything else gets this. */
export interface Host {
  /** Arguments after the program's own name. */
  args: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable & { isTTY?: boolean; columns?: number }
  /** The machine's name: the default of `--member`. */
  hostname: string
  uid: number
  /** Sends a signal; ESRCH when there is no such process. */
  kill: (pid: number, signal: NodeJS.Signals) => void
  /** Aborted by the first SIGTERM or SIGINT; the program then ends cleanly. */
  signal: AbortSignal
}
