import type { Host } from '@meili-ha/core/cli/host.ts'
import { startProgress } from '@meili-ha/core/cli/progress.ts'
import { assertNotOpen } from '@meili-ha/core/data-dir/open-by.ts'
import { withSoleUse } from '@meili-ha/core/data-dir/sole-use.ts'
import { carryOut, judge, type Outcome, type RestoreOptions } from './restore.ts'

/**
 * `fetcher restore` as a member's init container: makes the data directory whole, or fails.
 * With a lease it only restores or keeps; whatever else there is to decide, and everything while the
 * engine is unknown, is left to `fetcher follow`, which decides before Meilisearch may start.
 * @throws the error of the verdict; STORE_* when the store didn't answer in time; DATA_DIR_IN_USE
 */
export function restoreMember(host: Host, options: RestoreOptions): Promise<Outcome> {
  return withSoleUse(options.paths, options.signal, () => makeWhole(host, options))
}

async function makeWhole(host: Host, options: RestoreOptions): Promise<Outcome> {
  const { patience, wishes, engine, log } = options
  const judgement = await patience.insist(async () => {
    const found = await judge(options)
    if (found.verdict === 'wait-for-store' && found.unreachable) throw found.unreachable
    return found
  })
  const { verdict, data } = judgement
  const isRestore = verdict === 'restore' || verdict === 'set-aside'
  const isKept = verdict === 'keep' || verdict === 'keep-unready' || verdict === 'keep-unmarked'
  if (wishes.lease && typeof verdict === 'string') {
    if (!isKept && (verdict !== 'restore' || engine === undefined)) {
      log.info({ event: 'restore.left', verdict }, 'left to `fetcher follow`')
      return { action: 'wait-for-bootstrap', snapshotId: null, setAside: null }
    }
  }
  if (data.state === 'empty' && data.lostAndFound && verdict === 'start-empty') {
    log.warn(
      { event: 'restore.lost_and_found', path: options.paths.live },
      'lost+found is no database entry, but to Meilisearch the directory is not empty: mount the volume at --data-dir',
    )
  }
  if (!isRestore) return carryOut(judgement, options)
  // Now, and not after an hour of download.
  await assertNotOpen(options.paths.live)
  const progress = startProgress(host, log, 'restore', undefined)
  try {
    return await carryOut(judgement, { ...options, onBytes: (bytes) => progress.add(bytes) })
  } finally {
    progress.end()
  }
}
