import { inspectDataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import { finishSwap, swapIn } from '@meili-ha/core/data-dir/swap.ts'
import { setAsidePath } from '../restore.ts'
import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'
import type { Preparation } from './preparation.ts'

/**
 * Moves what was prepared in place of the live directory: closed, confirmed stopped, renamed, ready.
 * What may hold writes that exist nowhere else is kept under another name.
 * @throws GUARD_SILENT when nobody confirms the stop; the old directory then goes on serving
 */
export async function swapPrepared(
  options: FollowOptions,
  member: Member,
  preparation: Preparation,
): Promise<void> {
  const { gate, paths, watch, log, metrics, monotonic, now } = options
  const snapshot = preparation.ready
  if (!snapshot) throw new Error('nothing is prepared')
  // Once more, now that nobody should be routed here: the last chance to notice a stray write.
  if (member.lineage && (await gate.read())?.state === 'ready') await watch.look(member.lineage)
  const before = await inspectDataDirectory(paths.live)
  const former = member.lineage?.snapshotId ?? null
  const startedAt = monotonic()
  const wasOpen = (await gate.read())?.state === 'ready'
  try {
    await gate.close()
  } catch (error) {
    if (wasOpen) await gate.open(former)
    throw error
  }
  const nothing = before.state === 'absent' || before.state === 'empty'
  const neverWritten = member.lineage?.primaryIn.length === 0 && watch.foreignTask === null
  const disposable = nothing || (before.state === 'whole' && neverWritten)
  const setAside = disposable ? undefined : setAsidePath(before, options, now())
  try {
    await swapIn(paths, setAside ?? paths.replaced)
  } catch (error) {
    // Whichever of the two renames failed, what is live now is whole.
    await finishSwap(paths)
    throw error
  } finally {
    preparation.ready = undefined
    watch.forget()
    await member.look()
    if (member.data.state === 'whole') await gate.open(member.lineage?.snapshotId ?? null)
  }
  const durationMs = Math.round(monotonic() - startedAt)
  metrics.swaps.inc({ old: setAside ? 'set-aside' : nothing ? 'nothing' : 'replaced' })
  metrics.swapSeconds.set(durationMs / 1000)
  if (setAside) log.warn({ event: 'follow.set_aside', path: setAside }, `kept as ${setAside}`)
  log.info({ event: 'follow.swapped', id: snapshot.id, durationMs }, `swapped in ${snapshot.id}`)
}
