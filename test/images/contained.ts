import { execFileSync } from 'node:child_process'
import { startProcess, type RunningProcess } from '../harness/process.ts'

export interface Mount {
  source: string
  target: string
  readOnly?: boolean
}

/** What a container engine is told of a container. */
export interface Container {
  command: readonly string[]
  /** All of its environment: nothing comes from the test's. */
  env?: Readonly<Record<string, string>>
  mounts?: readonly Mount[]
  /** Directories in memory, empty at the start. */
  tmpfs?: readonly string[]
  cwd?: string
  hostname?: string
  /** Path and what it points to. */
  links?: Readonly<Record<string, string>>
  /** A network namespace's name; the test's own unless told. */
  network?: string
  /** 1000 unless told. */
  uid?: number
}

export interface Contained extends RunningProcess {
  /** To its first process, as an engine does at `docker stop`. */
  signal(name: NodeJS.Signals): Promise<void>
}

/** Why containers can't be imitated here; undefined when they can. */
export const cannotContain: string | undefined = why()

function why(): string | undefined {
  try {
    const [file, ...args] = bubblewrap({ command: ['/nodejs/bin/node', '-e', '0'] })
    execFileSync(file as string, args, { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return String(error).split('\n').slice(0, 2).join(' ')
  }
}

/**
 * Starts a program as its container would: a root of its own, read-only, that holds Node, the C
 * libraries and what is mounted, but no shell; uid 1000 without a name; PID 1. The network is the test's.
 */
export function startContained(container: Container): Contained {
  const running = startProcess({ command: bubblewrap(container) })
  return {
    ...running,
    stdout: () => running.stdout().slice(statusOf(running)?.length ?? 0),
    output: () => running.output().replace(statusOf(running) ?? '', ''),
    signal: async (name) => {
      await running.waitFor(/"child-pid": \d+/)
      process.kill(Number(/"child-pid": (\d+)/.exec(running.stdout())?.[1]), name)
    },
  }
}

/** Runs it to its end. */
export async function runContained(
  container: Container,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using child = startContained(container)
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

/** What bubblewrap itself says first: `{ "child-pid": 7, … }`. */
function statusOf(running: RunningProcess): string | undefined {
  return /^\{[^}]*"child-pid"[^}]*\}\n?/.exec(running.stdout())?.[0]
}

function bubblewrap(container: Container): string[] {
  const { command, env = {}, mounts = [], tmpfs = [], links = {}, network } = container
  const { cwd = '/', uid = 1000 } = container
  const libraries = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'].flatMap((path) => [
    ...['--ro-bind-try', path, path],
  ])
  return [
    ...(network === undefined ? [] : ['ip', 'netns', 'exec', network]),
    // It closes the descriptor on which it tells the pid of what it started.
    ...['sh', '-c', 'exec 3>&1; exec "$@"', 'sh'],
    ...['bwrap', '--die-with-parent', '--as-pid-1', '--info-fd', '3', '--clearenv'],
    ...[
      '--unshare-user',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-cgroup-try',
    ],
    ...['--uid', String(uid), '--gid', String(uid), '--hostname', container.hostname ?? 'image'],
    ...[...libraries, '--ro-bind', process.execPath, '/nodejs/bin/node'],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...tmpfs.flatMap((path) => ['--perms', '1777', '--tmpfs', path]),
    ...mounts.flatMap(({ source, target, readOnly }) => [
      ...[readOnly ? '--ro-bind' : '--bind', source, target],
    ]),
    ...Object.entries(links).flatMap(([path, target]) => ['--symlink', target, path]),
    ...['--remount-ro', '/', '--chdir', cwd],
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...command,
  ]
}
