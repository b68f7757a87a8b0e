import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isError } from '@meili-ha/core/errors.ts'
import { taskFailure } from '@meili-ha/core/meilisearch/task.ts'
import { prove, ProofFailed, ProofSkipped, type ProofRow } from '@meili-ha/core/store/proof.ts'
import { snapshotPath } from './upload-loop.ts'
import type { Parts } from './wire.ts'

/**
 * Checks what the uploader needs besides the store. What wasn't named on the command line and isn't
 * there is skipped: a laptop has no Meilisearch.
 * @param given whether an option was given, by its camel-case name
 */
export function checkMember(parts: Parts, given: (name: string) => boolean): Promise<ProofRow[]> {
  const { paths, meili, host } = parts
  const skipUnlessGiven = (name: string, what: string) => {
    if (!given(name)) throw new ProofSkipped(what)
  }
  return prove([
    {
      name: `snapshot directory (uid ${host.uid})`,
      hint: 'Mount the volume here, name it with --data-dir; run as the uid of Meilisearch.',
      run: async () => {
        const there = await stat(paths.snapshots).catch(() => undefined)
        if (!there) {
          skipUnlessGiven('dataDir', `${paths.snapshots} does not exist`)
          const parent = dirname(paths.snapshots)
          await access(parent, constants.R_OK | constants.X_OK).catch(() => {
            throw new ProofFailed(`${parent} does not exist, or uid ${host.uid} may not read it`)
          })
          throw new ProofSkipped(
            `${paths.snapshots} does not exist yet (Meilisearch makes it with its first snapshot)`,
          )
        }
        await access(paths.snapshots, constants.R_OK | constants.X_OK)
        const path = snapshotPath(parts.paths)
        if (await stat(path).catch(() => undefined)) await access(path, constants.R_OK)
      },
    },
    {
      name: 'Meilisearch',
      hint: 'Name it with --meili-url.',
      run: async () => {
        await meili.health().catch((error: unknown) => {
          if (isError(error, 'MEILI_UNREACHABLE')) skipUnlessGiven('meiliUrl', error.message)
          throw error
        })
      },
    },
    {
      name: 'key may read tasks',
      hint: 'Give --api-key-file; without it the task mark and the start time stay unknown.',
      run: async () => {
        const [newest] = await meili.snapshotTasks({ limit: 1 }).catch((error: unknown) => {
          if (isError(error, 'MEILI_UNREACHABLE')) skipUnlessGiven('meiliUrl', 'no Meilisearch')
          throw error
        })
        const failure = newest && taskFailure(newest)
        if (isError(failure, 'MEILI_ENTERPRISE')) throw failure
      },
    },
  ])
}
