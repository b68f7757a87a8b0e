import { MeiliHaError } from '../errors.ts'
import { storeOptionsFromEnv, type StoreOptionsInput } from '../store/store-options.ts'
import { REAL_CLOCK } from '../store/deadline.ts'
import type { Store } from '../store/store.ts'
import { parseFile } from '../store/store-url.ts'
import type { commonFlags } from './common-flags.ts'
import type { Host } from './host.ts'
import type { Command } from 'commander'

/** What the store flags parse to. */
export interface StoreFlags {
  store?: string
  sse?: string
  sseKmsKeyId?: string
  storageClass?: string
  s3PathStyle?: 'yes' | 'no'
  s3Checksums: string
}

/** Adds `--store` and what belongs to it. */
export function addStoreFlags(command: Command, flags: ReturnType<typeof commonFlags>): Command {
  return command
    .addOption(flags.store())
    .addOption(flags.sse())
    .addOption(flags.sseKmsKeyId())
    .addOption(flags.storageClass())
    .addOption(flags.s3PathStyle())
    .addOption(flags.s3Checksums())
}

/**
 * Opens the store that the flags and the AWS variables name. The S3 SDK is loaded only for S3: it is
 * a sixth of a small program's memory.
 * @throws USAGE
 */
export async function storeFromFlags(host: Pick<Host, 'env'>, flags: StoreFlags): Promise<Store> {
  if (!flags.store) {
    throw new MeiliHaError('USAGE', '--store is required', {
      hint: 'For example --store s3://bucket/prefix or --store file:///backups (or MEILI_HA_STORE).',
    })
  }
  if (flags.store.startsWith('file:')) {
    const { FileStore } = await import('../store/file-store.ts')
    return new FileStore(parseFile(flags.store), REAL_CLOCK)
  }
  const { openStore } = await import('../store/open-store.ts')
  // openStore checks them; commander's choices are only for --help.
  const options = {
    ...storeOptionsFromEnv(host.env),
    checksums: flags.s3Checksums,
    ...(flags.s3PathStyle && { forcePathStyle: flags.s3PathStyle === 'yes' }),
    ...(flags.sse && { sse: flags.sse }),
    ...(flags.sseKmsKeyId && { sseKmsKeyId: flags.sseKmsKeyId }),
    ...(flags.storageClass && { storageClass: flags.storageClass }),
  } as StoreOptionsInput
  return openStore(flags.store, options)
}
