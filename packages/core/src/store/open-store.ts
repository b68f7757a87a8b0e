import * as z from 'zod'
import { MeiliHaError } from '../errors.ts'
import { REAL_CLOCK, type StoreClock } from './deadline.ts'
import { FileStore } from './file-store.ts'
import { S3Store } from './s3-store.ts'
import { type StoreOptionsInput, storeOptionsSchema } from './store-options.ts'
import type { Store } from './store.ts'
import { parseFile, parseS3, wrongUrl } from './store-url.ts'

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
  throw wrongUrl('it begins with neither s3:// nor file://')
}
