/** Loaded into a fetcher: it doesn't see the newest snapshots, and so claims and serves older ones. */
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'

const HIDDEN = 2
// oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
const read = CatalogReader.prototype.read

CatalogReader.prototype.read = async function (this: CatalogReader) {
  const view = await read.call(this)
  const published = view.entries.filter(({ seq }) => seq > 0)
  // The oldest stays: who sees nothing waits for a person.
  const hidden = new Set(published.slice(0, Math.min(HIDDEN, published.length - 1)))
  return { ...view, entries: view.entries.filter((entry) => !hidden.has(entry)) }
}
