import { randomUUID } from 'node:crypto'
import { isError } from '../errors.ts'
import { type Proof, type ProofRow, prove, ProofFailed } from './proof.ts'
import type { Store } from './store.ts'

/** As many writers as the tests of stores that were found to let several win. */
const WRITERS = 32

const UNSAFE = 'Two members could lead at once: use a Kubernetes lease, or another store.'

/**
 * Proves that conditional writes are honoured, under racing writers too: what a lease in the store
 * needs. Takes about a second; lease-keeper runs it at every start. Cleans up after itself.
 */
export async function proveLocking(store: Store): Promise<ProofRow[]> {
  const prefix = `check/${randomUUID()}`
  try {
    return await prove(lockingProofs(store, prefix))
  } finally {
    const keys = ['create', 'replace', 'race-create', 'race-replace']
    await Promise.allSettled(keys.map((key) => store.delete(`${prefix}/${key}`)))
  }
}

/** The proofs of proveLocking, writing below `prefix`. */
export function lockingProofs(store: Store, prefix: string): Proof[] {
  return [
    {
      name: 'create over an existing object is refused',
      hint: UNSAFE,
      run: async () => {
        const key = `${prefix}/create`
        await store.put(key, 'first', { ifNoneMatch: '*' })
        await refused(store.put(key, 'second', { ifNoneMatch: '*' }))
      },
    },
    {
      name: 'replace of a stale version is refused',
      hint: UNSAFE,
      run: async () => {
        const key = `${prefix}/replace`
        const stale = await store.put(key, 'first')
        await store.put(key, 'second', { ifMatch: stale.etag })
        await refused(store.put(key, 'third', { ifMatch: stale.etag }))
      },
    },
    {
      name: `one of ${WRITERS} racing creates wins`,
      hint: UNSAFE,
      run: () => race(store, `${prefix}/race-create`, { ifNoneMatch: '*' }),
    },
    {
      name: `one of ${WRITERS} racing replaces wins`,
      hint: UNSAFE,
      run: async () => {
        const key = `${prefix}/race-replace`
        const { etag } = await store.put(key, 'before')
        await race(store, key, { ifMatch: etag })
      },
    },
  ]
}

async function refused(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (isError(error, 'STORE_CONFLICT')) return
    throw error
  }
  throw new ProofFailed('the store took it')
}

type Condition = { ifNoneMatch: '*' } | { ifMatch: string }

/** Exactly one write may succeed, the others must be told no, and the winner's must be kept. */
async function race(store: Store, key: string, condition: Condition): Promise<void> {
  const writers = Array.from({ length: WRITERS }, (_, i) => `writer ${i}`)
  const results = await Promise.allSettled(
    // Tried once: a retry would meet the first attempt's own success.
    writers.map((body) => store.put(key, body, { ...condition, retries: 0 })),
  )
  const winners = writers.filter((_, i) => results[i]?.status === 'fulfilled')
  const failure = results
    .filter((result) => result.status === 'rejected')
    .map((result): unknown => result.reason)
    .find((reason) => !isError(reason, 'STORE_CONFLICT'))
  if (failure !== undefined) throw failure
  if (winners.length !== 1) throw new ProofFailed(`${winners.length} of ${WRITERS} won`)
  const kept = (await store.get(key)).body.toString()
  if (kept !== winners[0]) throw new ProofFailed(`${winners[0]} won, but ${kept} is kept`)
}
