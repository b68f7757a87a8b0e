import type { PartialView, Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import { newestOf, type CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { restoreCandidates } from '@meili-ha/core/catalog/restore-candidates.ts'
import { isError } from '@meili-ha/core/errors.ts'
import { fetchNewest } from './fetch-newest.ts'
import type { FetchOptions } from './fetch-snapshot.ts'

/**
 * Enough of the catalog to restore from, whatever it holds: the newest manifests, and all of them
 * where none of those may be restored. Says nothing about a directory that is there already.
 * @throws as CatalogReader.read
 */
export async function readToRestore(catalog: CatalogReader): Promise<PartialView> {
  const view = await catalog.readSome(newestOf)
  return restoreCandidates(view).candidates.length > 0 ? view : catalog.read()
}

/** As fetchNewest; where all that was read is damaged, it goes on with what wasn't. */
export async function restoreNewest(
  view: PartialView,
  primaryIn: number[],
  options: FetchOptions & { catalog: CatalogReader },
): Promise<Restorable> {
  const plan = restoreCandidates(view)
  try {
    return await fetchNewest(plan, primaryIn, options)
  } catch (error) {
    if (plan.end !== 'unread' || !isError(error, 'SNAPSHOT_NONE_GOOD')) throw error
    return fetchNewest(restoreCandidates(await options.catalog.read()), primaryIn, options)
  }
}
