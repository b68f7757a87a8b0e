import * as z from 'zod'
import { HIGHEST_EPOCH, type LeaseRecord } from './lease.ts'

/** A coordination.k8s.io/v1 Lease as far as it is read here; the rest is carried along. */
export const leaseObjectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.looseObject({ leaseTransitions: z.number().optional() }).optional(),
})

export type LeaseObject = z.infer<typeof leaseObjectSchema>

/** What a Lease has no field for. */
const PREFIX = 'meili-ha/'

const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

/** What a term consists of: when one of these can't be read, nobody holds the lease. */
const termSchema = z.object({
  holder: z.string().min(1).nullish(),
  epoch: count.refine((epoch) => epoch <= HIGHEST_EPOCH),
  renewals: count,
  durationSeconds: z.number().positive(),
  renewTime: z.iso.datetime({ offset: true }),
})

const requestSchema = z.object({
  id: z.string(),
  verb: z.enum(['switchover', 'promote']),
  to: z.string().nullable(),
})

/** Reads what a Lease says. One that was emptied or edited beyond reading has no holder and epoch 0. */
export function recordOf({ metadata, spec }: LeaseObject): LeaseRecord {
  const said = (name: string) => metadata.annotations?.[PREFIX + name]
  const term = termSchema.safeParse({
    holder: spec?.['holderIdentity'] === '' ? null : spec?.['holderIdentity'],
    epoch: said('epoch'),
    renewals: said('renewals'),
    durationSeconds: spec?.['leaseDurationSeconds'],
    renewTime: spec?.['renewTime'],
  }).data
  return {
    holder: term?.holder ?? null,
    member: said('member') ?? null,
    epoch: term?.epoch ?? 0,
    renewals: term?.renewals ?? 0,
    durationMs: (term?.durationSeconds ?? 0) * 1000,
    renewedAt: new Date(term?.renewTime ?? 0).toISOString(),
    released: term ? (count.safeParse(said('released')).data ?? null) : null,
    served: said('served') === 'true',
    paused: said('paused') === 'true',
    request: readRequest(said('request')),
  }
}

/**
 * The Lease that says `record`.
 * @param base the object under the version that is replaced: labels and annotations that people or
 *   tools put on it stay
 */
export function leaseObjectOf(record: LeaseRecord, base: LeaseObject | undefined): unknown {
  const last = base ? recordOf(base) : undefined
  const isTaken = record.holder !== null && record.holder !== last?.holder
  const transitions = base?.spec?.leaseTransitions ?? 0
  const renewTime = microTime(record.renewedAt)
  const seconds = Math.max(1, Math.ceil(record.durationMs / 1000))
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...base?.metadata, annotations: { ...others(base), ...annotationsOf(record) } },
    spec: {
      ...base?.spec,
      // The server refuses an empty one.
      holderIdentity: record.holder ?? undefined,
      // Whole seconds are all it takes; a longer wait is the safe side.
      leaseDurationSeconds: seconds,
      renewTime,
      ...(isTaken && { acquireTime: renewTime, leaseTransitions: transitions + 1 }),
    },
  }
}

function annotationsOf(record: LeaseRecord): Record<string, string> {
  const { epoch, renewals, member, released, served, paused, request } = record
  const values: [string, string | null][] = [
    ['epoch', String(epoch)],
    ['renewals', String(renewals)],
    ['member', member],
    ['released', released === null ? null : String(released)],
    ['served', served ? 'true' : null],
    ['paused', paused ? 'true' : null],
    ['request', request && JSON.stringify(request)],
  ]
  const set = values.filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries(set.map(([name, value]) => [PREFIX + name, value]))
}

function others(base: LeaseObject | undefined): Record<string, string> {
  const entries = Object.entries(base?.metadata.annotations ?? {})
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith(PREFIX)))
}

/** The server takes a MicroTime with exactly six digits; ISO 8601 as Date writes it has three. */
function microTime(iso: string): string {
  return new Date(iso).toISOString().replace('Z', '000Z')
}

function readRequest(text: string | undefined): LeaseRecord['request'] {
  try {
    return requestSchema.parse(JSON.parse(text ?? ''))
  } catch {
    return null
  }
}
