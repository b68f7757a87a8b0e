import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { until } from './until.ts'

export interface ProcessOptions {
  /** The program and its arguments. */
  command: readonly string[]
  /** Added to the environment of the test, less whatever starts with MEILI_, STAND_IN_ or AWS_. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
}

interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A running process that goes with the scope: `await using uploader = startProcess(…)`. */
export interface RunningProcess extends AsyncDisposable {
  pid: number
  stdout(): string
  stderr(): string
  /** Both, in the order they came. */
  output(): string
  exited: Promise<Exit>
  /** True until it has exited. */
  running(): boolean
  /** Sends a signal and waits until the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<Exit>
  /** SIGSTOP, and waits until every thread stands still: it neither answers nor dies of SIGTERM. */
  freeze(): Promise<void>
  thaw(): void
  /** Waits until the output matches; fails at once when the process ends without it. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
}

/** What this worker started and has not put away yet: none of it outlives the worker. */
const started = new Set<ChildProcess>()
process.once('exit', endAll)
// How vitest ends a worker that is stuck; the default action would skip `exit`.
process.once('SIGTERM', () => {
  endAll()
  process.kill(process.pid, 'SIGTERM')
})

/** SIGKILL to all that runs still: before this process ends, and when a person interrupts it. */
export function endAll(): void {
  started.forEach(killGroup)
}

/** Starts any program. */
export function startProcess(options: ProcessOptions): RunningProcess {
  const [file, ...args] = options.command
  if (file === undefined) throw new Error('no command')
  const child = spawn(file, args, {
    env: { ...cleanEnv(), ...options.env },
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what the program started itself is reaped with it.
    detached: true,
  })
  const said = { stdout: '', stderr: '', output: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
      said.output += text
    })
  }
  const exited = exitOf(child)
  return {
    pid: child.pid ?? 0,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    output: () => said.output,
    exited,
    running: () => child.exitCode === null && child.signalCode === null,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal)
      return exited
    },
    freeze: async () => {
      child.kill('SIGSTOP')
      await until('it stands still', () => isStopped(child))
    },
    thaw: () => void child.kill('SIGCONT'),
    waitFor: (pattern, timeoutMs) => waitFor(() => said.output, exited, pattern, timeoutMs),
    [Symbol.asyncDispose]: async () => {
      killGroup(child)
      started.delete(child)
      await exited
    },
  }
}

/** Starts a program of ours with the Node that runs the test; pnpm wouldn't pass signals on. */
export function startProgram(
  cli: string,
  args: readonly string[],
  options: Omit<ProcessOptions, 'command'> = {},
): RunningProcess {
  return startProcess({ ...options, command: [process.execPath, cli, ...args] })
}

/** SIGKILL to the process and all that it started, even when it is gone itself. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

function isStopped({ pid }: ChildProcess): boolean {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.every((id) =>
    readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').includes(') T '),
  )
}

function exitOf(child: ChildProcess): Promise<Exit> {
  started.add(child)
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      const done = () => resolve({ code, signal })
      // Its last output comes with `close`; a grandchild that holds the pipe must not delay that for ever.
      const patience = setTimeout(done, 500)
      child.once('close', () => {
        clearTimeout(patience)
        done()
      })
    })
    child.once('error', reject)
  })
}

async function waitFor(
  output: () => string,
  exited: Promise<Exit>,
  pattern: RegExp,
  timeoutMs = 10_000,
): Promise<RegExpExecArray> {
  let exit: Exit | undefined
  exited.then(
    (value) => (exit = value),
    () => (exit = { code: null, signal: null }),
  )
  const found = await until(`the output matches ${pattern}`, () => pattern.exec(output()) ?? exit, {
    timeoutMs,
  }).catch((cause: unknown) => {
    throw new Error(`no ${pattern} within ${timeoutMs} ms in:\n${output()}`, { cause })
  })
  if (Array.isArray(found)) return found
  const last = pattern.exec(output())
  if (last) return last
  throw new Error(`it ended (${JSON.stringify(found)}) without ${pattern}:\n${output()}`)
}

function cleanEnv(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env)
  return Object.fromEntries(entries.filter(([name]) => !/^(MEILI_|STAND_IN_|AWS_)/.test(name)))
}
