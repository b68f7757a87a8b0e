import { MeiliHaError } from '../errors.ts'

/** The file driver's own directory inside the store; no key may lie in it. */
export const HIDDEN = '.meili-ha'

/**
 * Checks a key at the edge of both drivers, so that what works on one works on the other and no
 * key leaves the store's directory.
 * @throws USAGE for an empty key, an absolute one, or one with an empty, `.` or `..` segment.
 */
export function checkKey(key: string): string {
  const segments = key.split('/')
  const bad = segments.some((segment) => segment === '' || segment === '.' || segment === '..')
  // oxlint-disable-next-line no-control-regex
  if (bad || segments[0] === HIDDEN || /[\u0000-\u001f\\]/.test(key)) {
    throw new MeiliHaError('USAGE', `not a key of a store: ${JSON.stringify(key)}`)
  }
  return key
}

/** Like checkKey, for what LIST is asked for: may be empty or end in a slash. */
export function checkPrefix(prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  if (bare !== '') checkKey(bare)
  return prefix
}
