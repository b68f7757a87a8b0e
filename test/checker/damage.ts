import { comparePositions } from '@meili-ha/core/catalog/names.ts'
import type { Observer } from './observer.ts'
import type { Site } from './site.ts'

/** So many newer good ones must be left below it: a cluster without any waits for a person. */
const LEFT = 2
const damaged = new WeakMap<Observer, Set<string>>()

/**
 * Damages the newest tarball, unless it is the last of a stopped primary: nobody goes past that one
 * unasked. @returns the hash that manifests know it by
 */
export async function damageNewest(site: Site, observer: Observer): Promise<string | undefined> {
  const done = damaged.get(observer) ?? new Set<string>()
  damaged.set(observer, done)
  const [newest, ...older] = [...observer.manifests.values()].toSorted((a, b) =>
    comparePositions(b, a),
  )
  const good = older.filter(({ object }) => object && !done.has(object.sha256)).slice(0, LEFT)
  const object = newest?.object
  if (!object || newest.final || newest.seq === 0 || good.length < LEFT) return undefined
  if (good.some(({ final, seq }) => final === true || seq === 0)) return undefined
  await site.damage(object.key)
  done.add(object.sha256)
  return object.sha256
}
