import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { MeiliHaError } from '../errors.ts'
import { REAL_CLOCK, type StoreClock } from './deadline.ts'
import { FileStore } from './file-store.ts'
import { S3Store } from './s3-store.ts'
import { type StoreOptionsInput, storeOptionsSchema } from './store-options.ts'
import type { Store } from './store.ts'

const HINT = 'Give --store s3://bucket/prefix or --store file:///absolute/directory.'

/**
 * Opens a store by its URL; sends nothing yet.
 * @param url `s3://bucket[/prefix]` or `file:///dir`.
 * @throws USAGE for any other URL and for options that don't fit.
 */
export function openStore(
  url: string,
  options: StoreOptionsInput = {},
  clock: StoreClock = REAL_CLOCK,
): Store {
  const parsed = storeOptionsSchema.safeParse(options)
  if (!parsed.success) {
    throw new MeiliHaError('USAGE', `options of the store: ${z.prettifyError(parsed.error)}`)
  }
  if (url.startsWith('s3://')) return new S3Store(parseS3(url), parsed.data, clock)
  if (url.startsWith('file://')) return new FileStore(parseFile(url), clock)
  throw usage('it begins with neither s3:// nor file://')
}

function parseS3(url: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9._-]{1,62})(\/.*)?$/i.exec(url)
  if (!match) throw usage('that is no bucket; credentials go into AWS_* variables')
  const prefix = (match[2] ?? '').replace(/^\/+|\/+$/g, '')
  // oxlint-disable-next-line no-control-regex
  if (/[?#\\\u0000-\u001f]|\/\/|(^|\/)\.\.?(\/|$)/.test(prefix)) throw usage('bad prefix')
  return { bucket: match[1]!, prefix }
}

function parseFile(url: string): string {
  try {
    const parsed = new URL(url)
    if (parsed.search || parsed.hash) throw usage('a file:// URL takes no ? and no #')
    return fileURLToPath(parsed).replace(/(?<=.)\/+$/, '')
  } catch (cause) {
    if (cause instanceof MeiliHaError) throw cause
    throw usage('a file:// URL takes an absolute path: file:///dir')
  }
}

/** The URL itself stays out of it: it may hold a password that never belonged there. */
function usage(what: string): MeiliHaError {
  return new MeiliHaError('USAGE', `--store: ${what}`, { hint: HINT })
}
