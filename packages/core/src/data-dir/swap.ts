import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MeiliHaError } from '../errors.ts'
import { syncDirectory } from '../store/file-durable.ts'
import { inspectDataDirectory, type DataDirectory } from './inspect.ts'
import { LINEAGE_FILE, type Lineage } from './lineage.ts'
import { assertNotOpen } from './open-by.ts'
import type { DataPaths } from './paths.ts'

/** The lineage of `.next` when it is complete: whole, with its lineage, which was written last. */
export async function completeNext(paths: DataPaths): Promise<Lineage | undefined> {
  const next = await inspectDataDirectory(paths.next)
  if (next.state !== 'whole' || next.lineage === 'damaged') return undefined
  return next.lineage
}

/**
 * Finishes what a killed swap began: the live directory was moved away and its successor not yet
 * moved in. To be called before anything is decided.
 * @returns true when there was something to finish
 */
export async function finishSwap(paths: DataPaths): Promise<boolean> {
  if ((await inspectDataDirectory(paths.live)).state !== 'absent') return false
  if (!(await completeNext(paths))) return false
  await moveIn(paths)
  return true
}

/**
 * Puts the complete `.next` in place of the live directory, which nobody may have open.
 * A crash in between leaves no live directory and a complete `.next`: see finishSwap.
 * @param keepAs where the old one goes: `paths.replaced`, or a diverged path that a person removes
 */
export async function swapIn(paths: DataPaths, keepAs: string): Promise<void> {
  await moveAway(paths, keepAs)
  await moveIn(paths)
}

/**
 * Moves the live directory away, if there is one.
 * @throws DATA_DIR_IN_USE when Meilisearch runs on it, or has begun it since it was decided to
 * replace it; DATA_DIR_PERMISSION when it is a mount point
 */
export async function moveAway(paths: DataPaths, keepAs: string): Promise<void> {
  const found = await inspectDataDirectory(paths.live)
  if (found.state === 'absent') return
  await assertNotOpen(paths.live)
  if (keepAs === paths.replaced) {
    assertDisposable(paths, found)
    await reclaimReplaced(paths)
  }
  try {
    await rename(paths.live, keepAs)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EBUSY' && code !== 'EXDEV') throw error
    throw new MeiliHaError('DATA_DIR_PERMISSION', `${paths.live} can't be renamed`, {
      cause: error,
      hint: 'It is a mount point itself: mount the volume one directory higher, at --data-dir.',
    })
  }
  await syncDirectory(paths.parent)
}

/** What goes to `.replaced` is gone soon; a download takes long enough for a Meilisearch to start. */
function assertDisposable({ live }: DataPaths, found: DataDirectory): void {
  if (found.state === 'empty') return
  const lineage = found.state === 'whole' ? found.lineage : undefined
  if (typeof lineage === 'object' && lineage.primaryIn.length === 0) return
  throw new MeiliHaError('DATA_DIR_IN_USE', `${live} may have taken writes meanwhile: it stays`, {
    hint: 'Stop Meilisearch and try again: what is there is then looked at anew.',
  })
}

async function moveIn(paths: DataPaths): Promise<void> {
  await rename(paths.next, paths.live)
  await syncDirectory(paths.parent)
}

/** Removes what the last swap replaced: it never took a write that isn't published. */
export async function reclaimReplaced(paths: DataPaths): Promise<void> {
  await rm(paths.replaced, { recursive: true, force: true })
}

/**
 * Removes `.next`, its lineage first: killed half-way through the rest, it must not be taken for
 * a complete one.
 */
export async function removeNext(paths: DataPaths): Promise<void> {
  const lineage = join(paths.next, LINEAGE_FILE)
  const found = await rm(lineage).then(
    () => true,
    () => false,
  )
  if (found) await syncDirectory(paths.next)
  await rm(paths.next, { recursive: true, force: true })
}
