import * as z from 'zod'
import { combineDigests } from '../archive/digests.ts'
import { MeiliHaError } from '../errors.ts'
import { snapshotIdSchema } from './snapshot-id.ts'
import { formatId, parseId, parseKey } from './names.ts'

/** The manifest format this version writes and the only one it reads. */
export const MANIFEST_FORMAT = 1

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)
/** `2026-11-23T07:49:29Z`, with any fraction of a second (Meilisearch writes nine digits). */
const utc = z.iso.datetime()

const objectSchema = z.looseObject({
  /** Relative to the store's prefix. */
  key: z.string().regex(/^snapshots\/[0-9]{10}-[0-9]{10}-[0-9]{8}T[0-9]{6}Z\.snapshot$/),
  size: z.int().min(1),
  partSize: z.int().min(1),
  parts: z.array(sha256).min(1).max(10_000),
  /** Hex SHA-256 over the concatenated raw digests of the parts. */
  sha256,
})

/** What is written beside every tarball, last: a snapshot is published when this exists. */
export const manifestSchema = z.looseObject({
  format: z.literal(MANIFEST_FORMAT),
  /** `<epoch>-<seq>`, ten digits each; equals the manifest's own name. */
  id: snapshotIdSchema,
  epoch: count,
  /** 0 only for a claim. */
  seq: count,
  createdAt: utc,
  clusterId: z.string().min(1).max(100),
  /** `--member` of the uploader that wrote it. */
  writer: z.string().min(1),
  /** Null only in the claim of an empty beginning. */
  object: objectSchema.nullable(),
  meilisearch: z.looseObject({
    /** `MAJOR.MINOR.PATCH`, from VERSION in the tarball; null for an empty beginning. */
    version: z
      .string()
      .regex(/^[0-9]+\.[0-9]+\.[0-9]+$/)
      .nullable(),
    databaseName: z.string().optional(),
  }),
  contents: z.looseObject({ indexes: count, unpackedBytes: count }),
  tasks: z.looseObject({
    snapshotTaskUid: count.optional(),
    /** A lower bound of the highest task uid that the snapshot holds. */
    lastTaskUid: count.optional(),
    snapshotStartedAt: utc.optional(),
    snapshotFinishedAt: utc.optional(),
  }),
  /** Present exactly in claims: the id of the manifest this epoch starts from, null for none. */
  claim: z
    .looseObject({
      of: snapshotIdSchema.nullable(),
    })
    .optional(),
  /** The archive of a stopped directory: nothing acknowledged came after it. */
  final: z.literal(true).optional(),
  /** What `--annotate-command` printed. */
  annotations: z.string().optional(),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestObject = z.infer<typeof objectSchema>

// Not made at each call: a schema is compiled by its first use, and there may be 1,000 manifests to read.
const formatSchema = z.looseObject({ format: z.number() })

/**
 * Reads a manifest that came from the store.
 * @throws MANIFEST_NEWER_FORMAT for a format this version does not know: never a reason to take
 * an older snapshot. MANIFEST_INVALID for anything else that is not a manifest named `id`.
 */
export function parseManifest(id: string, body: Buffer | string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(body.toString())
  } catch (cause) {
    throw new MeiliHaError('MANIFEST_INVALID', `manifest ${id} is not JSON`, { cause })
  }
  const format = formatSchema.safeParse(json)
  if (format.success && format.data.format > MANIFEST_FORMAT) {
    throw new MeiliHaError(
      'MANIFEST_NEWER_FORMAT',
      `manifest ${id} has format ${format.data.format}; this version reads ${MANIFEST_FORMAT}`,
    )
  }
  const parsed = manifestSchema.safeParse(json)
  if (!parsed.success) {
    throw new MeiliHaError('MANIFEST_INVALID', `manifest ${id}: ${z.prettifyError(parsed.error)}`)
  }
  return checkConsistency(id, parsed.data)
}

/** What a schema can't say: the name, the claim, the tarball's name and the parts must agree. */
function checkConsistency(id: string, manifest: Manifest): Manifest {
  const { epoch, seq, object, claim } = manifest
  const fail = (what: string) => new MeiliHaError('MANIFEST_INVALID', `manifest ${id}: ${what}`)
  const position = parseId(id)
  if (manifest.id !== id || position?.epoch !== epoch || position.seq !== seq) {
    throw fail(`says it is ${manifest.id} (epoch ${epoch}, seq ${seq})`)
  }
  if ((seq === 0) !== (claim !== undefined)) throw fail('seq 0 and a claim belong together')
  if (epoch === 0 && seq === 0) throw fail('epoch 0 has no claim')
  const of = claim?.of ? parseId(claim.of) : undefined
  if (of && of.epoch >= epoch) throw fail(`claims ${formatId(of)}, which is no older epoch's`)
  if (object === null) {
    if (seq !== 0) throw fail('only a claim may name no tarball')
    return manifest
  }
  // Only a claim may share a tarball: anything else would outlive or outdate what it names.
  if (!claim && parseKey(object.key)?.id !== id) throw fail(`names another's tarball ${object.key}`)
  if (object.parts.length !== Math.ceil(object.size / object.partSize)) {
    throw fail('the number of parts does not fit the size')
  }
  if (object.sha256 !== combineDigests(object.parts)) throw fail('sha256 does not fit the parts')
  return manifest
}
