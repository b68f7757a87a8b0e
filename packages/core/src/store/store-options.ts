import * as z from 'zod'

/** What can be said about a store besides its URL. Credentials are never among it. */
export const storeOptionsSchema = z
  .strictObject({
    /** Of anything but AWS itself; without it the SDK finds AWS's own. */
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    region: z.string().min(1).optional(),
    /** `endpoint/bucket/key` instead of `bucket.endpoint/key`; default: where an endpoint is set. */
    forcePathStyle: z.boolean().optional(),
    /**
     * `auto`: SHA-256 with every upload, until the store refuses one. `on`: always, and the SDK
     * adds its own wherever it can. `off`: never. Default `auto`.
     */
    checksums: z.enum(['auto', 'on', 'off']).default('auto'),
    sse: z.enum(['AES256', 'aws:kms']).optional(),
    sseKmsKeyId: z.string().min(1).optional(),
    /** Of the tarballs only: small objects cost more in the cold classes. */
    storageClass: z
      .enum([
        'STANDARD',
        'REDUCED_REDUNDANCY',
        'STANDARD_IA',
        'ONEZONE_IA',
        'INTELLIGENT_TIERING',
        'GLACIER_IR',
        'EXPRESS_ONEZONE',
      ])
      .optional(),
  })
  .refine((options) => options.sseKmsKeyId === undefined || options.sse === 'aws:kms', {
    error: 'a KMS key needs server-side encryption aws:kms',
  })

export type StoreOptions = z.infer<typeof storeOptionsSchema>
export type StoreOptionsInput = z.input<typeof storeOptionsSchema>

/** What the usual AWS variables say; the SDK reads the credentials from them by itself. */
export function storeOptionsFromEnv(
  env: Record<string, string | undefined>,
): Pick<StoreOptionsInput, 'endpoint' | 'region'> {
  const endpoint = env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL']
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION']
  return { ...(endpoint && { endpoint }), ...(region && { region }) }
}
