import { describe, expect, test } from 'vitest'
import { whyNotReady, type Fitness } from './standing.ts'

const FIT: Fitness = {
  ...{ decided: true, waitingFor: null, directory: 'pristine', store: 'good', primaryIn: [] },
  ...{ recordEpoch: 3, blockedBy: null, misfit: null, foreignTask: null, keyTrouble: null },
}

describe('a member may be promoted', () => {
  test('when nothing speaks against it', () => {
    expect(whyNotReady(FIT)).toBeNull()
  })

  test.each<[string, Partial<Fitness>]>([
    ['before anything is decided', { decided: false }],
    ['on data that nobody knows', { directory: 'unmarked' }],
    ['after a stray write', { foreignTask: 12 }],
    ['with a key that is refused', { keyTrouble: 'GET /tasks was refused' }],
    ['when the newest snapshot is of a newer Meilisearch', { misfit: 'the snapshot is of 1.51.0' }],
    ['when the store is away', { store: 'unreachable' }],
    ['when the store holds nothing good', { store: 'none-good' }],
    ['when the bucket was emptied', { store: 'never-initialised' }],
    ['in an outage, having led an older term', { store: 'unreachable', primaryIn: [2] }],
  ])('never %s', (_, fitness) => {
    expect(whyNotReady({ ...FIT, ...fitness })).toEqual(expect.any(String))
  })

  test('in an outage, where it led the term that the lease record bears', () => {
    const led = { store: 'unreachable', directory: 'leading', primaryIn: [2, 3] } as const
    expect(whyNotReady({ ...FIT, ...led })).toBeNull()
    expect(whyNotReady({ ...FIT, ...led, keyTrouble: 'refused' })).toBe('refused')
  })
})
