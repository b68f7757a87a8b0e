import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { HIGHEST_EPOCH, type LeaseRecord } from './lease.ts'

const schema = z.object({
  holder: z.string().min(1).nullable(),
  member: z.string().nullable(),
  epoch: z.int().nonnegative().max(HIGHEST_EPOCH),
  renewals: z.int().nonnegative(),
  durationMs: z.number().nonnegative(),
  renewedAt: z.iso.datetime({ offset: true }),
  released: z.int().nonnegative().nullable(),
  served: z.boolean(),
  paused: z.boolean(),
  request: z
    .object({
      id: z.string(),
      verb: z.enum(['switchover', 'promote']),
      to: z.string().nullable(),
    })
    .nullable(),
})

/** Where nothing can be read nobody holds the lease, and everyone waits. */
const UNREADABLE: LeaseRecord = {
  holder: null,
  member: null,
  epoch: 0,
  renewals: 0,
  durationMs: 0,
  renewedAt: new Date(0).toISOString(),
  released: null,
  served: false,
  paused: false,
  request: null,
}

/** A record ready to be written, told from every other write by its nonce. */
export interface WrittenRecord {
  body: string
  nonce: string
}

/**
 * A record as JSON that a person can read. The nonce makes every body differ: stores give equal
 * bodies equal ETags, so a record that came back would pass for one that never changed; and after a
 * lost answer it tells one's own write from another's.
 */
export function writtenRecord(record: LeaseRecord): WrittenRecord {
  const nonce = randomUUID()
  return { body: `${JSON.stringify({ ...record, nonce }, null, 2)}\n`, nonce }
}

const nonceSchema = z.object({ nonce: z.string() })

/** Reads a record; one that was emptied or edited beyond reading has no holder and epoch 0. */
export function readRecord(body: Buffer): { record: LeaseRecord; nonce: string | undefined } {
  const json = parseJson(body.toString())
  return {
    record: schema.safeParse(json).data ?? UNREADABLE,
    nonce: nonceSchema.safeParse(json).data?.nonce,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
