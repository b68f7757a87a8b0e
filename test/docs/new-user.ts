import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import { startProcess, type RunningProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { REPO } from './markdown.ts'

/** Somebody with a checkout and a shell, who copies commands out of a document. */
export interface NewUser extends AsyncDisposable {
  /** The checkout; `../shared` lies beside it. */
  cwd: string
  env: Record<string, string | undefined>
  /** First on its PATH. */
  bin: string
  /** Further documented names, and what stands for them here. */
  places: Map<string, string>
  /** Lines before each script, as in a shell's profile. */
  prelude: string
  /** `127.0.0.1:7700` as it is on this machine. */
  address(documented: number): string
  /** The directory that stands for /dev/shm/meili-ha. */
  memory: string
  /** What is documented, with the names that it has here. */
  here: (documented: string) => string
  /** Starts the lines as a script, as they stand but for ports and places. */
  start(script: string): RunningProcess
  /** Runs them to their end. */
  run(script: string): Promise<{ code: number | null; stdout: string; output: string }>
}

const PORTS = [7700, 7701, 7711, 7712, 7713]

/** @param settled whether the user has said where things are, as the README's steps ask */
export async function newUser({ settled = true } = {}): Promise<NewUser> {
  const root = await tempDir()
  const memory = await mkdtemp(
    join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meili-ha-test-'),
  )
  const cwd = join(root.path, 'checkout')
  const bin = join(root.path, 'bin')
  for (const dir of [cwd, bin, join(root.path, 'shared')]) await mkdir(dir)
  await symlink(join(REPO, 'test'), join(cwd, 'test'))
  await symlink(join(REPO, 'test/fixtures'), join(root.path, 'shared/fixtures'))
  await program(join(bin, 'npx'), await npx())
  await program(join(bin, 'meilisearch'), `exec ${meilisearchCommand().join(' ')} "$@"`)
  const ports = new Map<number, number>()
  for (const port of PORTS) ports.set(port, await freePort())
  const places = new Map([['/dev/shm/meili-ha', memory]])
  const here = (script: string) =>
    [...places]
      .toSorted(([a], [b]) => b.length - a.length)
      .reduce(
        (text, [documented, real]) => text.replaceAll(documented, real),
        script.replaceAll(/127\.0\.0\.1:(77\d\d)/g, (_, port: string) =>
          user.address(Number(port)),
        ),
      )
  const user: NewUser = {
    cwd,
    memory,
    bin,
    places,
    prelude: '',
    here,
    env: {
      PATH: [bin, dirname(process.execPath), process.env['PATH']].join(':'),
      TMPDIR: root.path,
      ...(settled && whereThingsAre(root.path)),
    },
    address: (documented) => `127.0.0.1:${ports.get(documented)}`,
    start: (script) =>
      startProcess({ command: ['sh', '-euc', user.prelude + here(script)], cwd, env: user.env }),
    run: async (script) => {
      await using child = user.start(script)
      const { code } = await child.exited
      return { code, stdout: child.stdout(), output: child.output() }
    },
    [Symbol.asyncDispose]: async () => {
      await rm(memory, { recursive: true, force: true })
      await root[Symbol.asyncDispose]()
    },
  }
  return user
}

function whereThingsAre(root: string) {
  return {
    MEILI_MASTER_KEY: 'new-user-master-key-0123456789',
    MEILI_HA_STORE: `file://${root}/backups`,
    MEILI_HA_DATA_DIR: join(root, 'meili_data'),
  }
}

async function program(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
}

/** `npx pnpm@12 SCRIPT ARGS` runs the very script of package.json, without npx's and pnpm's seconds. */
async function npx(): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(REPO, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const cases = Object.entries(scripts).map(([name, script]) => `  ${name}) ${script} "$@" ;;`)
  return [
    '[ "$1" = pnpm@12 ] || exit 97',
    'name=$2 && shift 2',
    `export INIT_CWD="$PWD" && cd '${REPO}'`,
    'case $name in',
    ...cases,
    '  *) exit 98 ;;',
    'esac',
  ].join('\n')
}
