import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'

/** Mounts without events (NFS, some CSI drivers) are looked at this often. */
const POLL_MS = 5000
/** How soon a directory is noticed that Meilisearch makes only when it starts. */
const APPEAR_MS = 500

/**
 * Calls `look` whenever the directory may hold something new: on events, and every few seconds as a
 * net for mounts that send none. The directory needn't exist yet. Hints only: `look` checks.
 * @returns stops watching
 */
export function watchDirectory(directory: string, look: () => void): () => Promise<void> {
  const open = () =>
    watch(directory, {
      depth: 0,
      ignoreInitial: true,
      // A dot-file is a snapshot still being written.
      ignored: (path) => path !== directory && basename(path).startsWith('.'),
    })
      .on('add', look)
      .on('change', look)
      // Events are a convenience; the poll goes on without them.
      .on('error', () => {})
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  const tick = () => {
    watcher ??= existsSync(directory) ? open() : undefined
    timer = setTimeout(tick, watcher ? POLL_MS : APPEAR_MS)
    look()
  }
  tick()
  return async () => {
    clearTimeout(timer)
    await watcher?.close()
  }
}
