import { MeiliHaError } from '../errors.ts'

/** What Linux file systems take for one name. */
const MAX_SEGMENT_BYTES = 255
/** Snapshots need 54 (`indexes/<uuid>/data.mdb`); the rest of PATH_MAX is the data directory's. */
const MAX_NAME_BYTES = 1024

/**
 * The name of a tarball's entry, relative to the root and inside it: no `./` in front, no slash behind,
 * and empty for the root itself.
 * @throws SNAPSHOT_UNSAFE for any other: absolute, `..`, empty segments, bytes that aren't UTF-8,
 * control characters and backslashes (nothing that Meilisearch writes has them), too long
 */
export function safeEntryName(raw: Buffer, type: 'file' | 'directory'): string {
  const text = decode(raw)
  let name = text === '.' ? '' : text.replace(/^\.\//, '')
  if (type === 'directory') name = name.replace(/\/$/, '')
  if (name === '' && type === 'directory' && /^\.\/?$/.test(text)) return ''
  const segments = name.split('/')
  if (
    raw.length > MAX_NAME_BYTES ||
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    /[\u0000-\u001f\u007f\\]/.test(name) ||
    segments.some((segment) => segment === '' || segment === '.' || segment === '..') ||
    segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
  ) {
    throw unsafe(raw)
  }
  return name
}

function decode(raw: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw)
  } catch {
    throw unsafe(raw)
  }
}

function unsafe(raw: Buffer): MeiliHaError {
  const shown = JSON.stringify(raw.toString('latin1', 0, 80))
  return new MeiliHaError('SNAPSHOT_UNSAFE', `the tarball holds an unsafe name: ${shown}`)
}
