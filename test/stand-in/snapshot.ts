import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Database } from './database.ts'
import type { Knobs } from './knobs.ts'
import type { StoredTask } from './model.ts'

/** The order in which a real one archives its directory. */
const ORDER = ['VERSION', 'update_files', 'indexes', 'tasks', 'auth']

/**
 * Writes a snapshot the way a real one does, so that a watcher sees the same: a copy in the
 * temporary directory, `.tmpXXXXXX` of mode 0600 in the snapshot directory, renamed over the old
 * one, and only then made readable.
 * @param without the snapshot tasks under way: they don't travel
 */
export async function writeSnapshot(
  database: Database,
  snapshotDir: string,
  without: readonly StoredTask[],
  knobs: Pick<Knobs, 'version' | 'snapshotMs' | 'snapshotLingerMs'>,
): Promise<void> {
  await mkdir(snapshotDir, { recursive: true })
  const staging = mkdtempSync(join(tmpdir(), '.tmp'))
  const temporary = join(snapshotDir, `.tmp${randomBytes(3).toString('hex')}`)
  try {
    stage(database, staging, without, knobs.version)
    const tarball = await promisify(gzip)(await tarOf(staging), { level: 1 })
    const half = Math.floor(tarball.length / 2)
    const file = await open(temporary, 'w', 0o600)
    await file.write(tarball, 0, half)
    await sleep(knobs.snapshotMs)
    await file.write(tarball, half)
    await file.close()
    const target = join(snapshotDir, `${basename(resolve(database.dir))}.snapshot`)
    await rename(temporary, target)
    await chmod(target, 0o444)
    await sleep(knobs.snapshotLingerMs)
  } finally {
    await rm(staging, { recursive: true, force: true })
    await rm(temporary, { force: true })
  }
}

/** The cut, in one synchronous go: what is acknowledged by now is in it, nothing that comes later. */
function stage(
  database: Database,
  dir: string,
  without: readonly StoredTask[],
  version: string,
): void {
  const write = (name: string, lines: readonly unknown[], mode = 0o644) => {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    writeFileSync(join(dir, name), text, { mode })
  }
  writeFileSync(join(dir, 'VERSION'), version, { mode: 0o600 })
  mkdirSync(join(dir, 'update_files'))
  const tasks = [...database.tasks.values()].filter((task) => !without.includes(task))
  for (const { view, work } of tasks) {
    if (view.status !== 'enqueued' || !('content' in work)) continue
    const content = JSON.stringify(database.readContent(work.content))
    writeFileSync(join(dir, 'update_files', work.content), content, { mode: 0o600 })
  }
  const indexes = [...database.indexes.values()]
  for (const { info, documents } of indexes) {
    write(`indexes/${info.uuid}/data.mdb`, [{ put: [...documents.values()] }])
  }
  write('tasks/data.mdb', [
    { standIn: 1, version: database.internalVersion ?? version },
    ...tasks.map((task) => ({ task })),
    ...indexes.map((index) => ({ index: index.info })),
  ])
  writeFileSync(join(dir, 'tasks', 'lock.mdb'), Buffer.alloc(8192), { mode: 0o600 })
  write(
    'auth/data.mdb',
    [...database.keys.values()].map((key) => ({ key })),
  )
}

async function tarOf(dir: string): Promise<Buffer> {
  // Loaded only here, so that a start is quick.
  const { pack: createPack } = await import('tar-stream')
  const pack = createPack()
  const whole = buffer(pack)
  const add = async (name: string): Promise<void> => {
    const path = join(dir, name)
    const { mode, mtime } = await stat(path)
    const header = { name, mode: mode & 0o777, mtime }
    if (name.endsWith('.mdb') || name === 'VERSION' || name.startsWith('update_files/')) {
      pack.entry(header, await readFile(path))
      return
    }
    pack.entry({ ...header, type: 'directory' })
    for (const child of (await readdir(path)).toSorted()) await add(`${name}/${child}`)
  }
  const { mode, mtime } = await stat(dir)
  pack.entry({ name: './', type: 'directory', mode: mode & 0o777, mtime })
  const present = await readdir(dir)
  for (const name of ORDER.filter((one) => present.includes(one))) await add(name)
  pack.finalize()
  return whole
}
