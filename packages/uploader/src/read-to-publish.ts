import type { PartialView } from '@meili-ha/core/catalog/catalog-view.ts'
import type { FirstSeen } from '@meili-ha/core/catalog/may-publish.ts'
import { formatUtc, parseKey } from '@meili-ha/core/catalog/names.ts'
import { newestOf, type CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'

/**
 * Enough of the catalog to publish one file without a lease, whatever it holds: what others wrote
 * since the first look, what this very file may be published as already, and the newest. Of the
 * others the name alone is asked: which seqs are used, and whether there is a higher epoch.
 * @param modifiedAt of the file: the name of its tarball bears it
 */
export function readToPublish(
  catalog: CatalogReader,
  firstSeen: FirstSeen | undefined,
  modifiedAt: Date,
): Promise<PartialView> {
  const utc = formatUtc(modifiedAt)
  return catalog.readSome((listed, tarballs) => {
    const alike = new Set<string>()
    for (const key of tarballs.keys()) {
      const name = parseKey(key)
      if (name?.kind === 'tarball' && name.utc === utc) alike.add(name.id)
    }
    const isNews = ({ key, etag }: { key: string; etag: string }) =>
      firstSeen !== undefined && firstSeen.get(key) !== etag
    const newest = new Set(newestOf(listed))
    return listed.filter((each) => newest.has(each) || isNews(each) || alike.has(each.name.id))
  })
}
