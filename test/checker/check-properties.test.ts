import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check } from './check.ts'
import { only, type Entry } from './history.ts'
import { Story } from './story.fixture.ts'

const STEPS = ['write', 'write', 'write', 'snapshot', 'read', 'readReplica', 'pass'] as const
const MEMBERS = ['m1', 'm2', 'm3'] as const

const term = fc.record({
  steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 15 }),
  ends: fc.constantFrom('crash', 'handOver'),
  next: fc.nat({ max: 1 }),
})

/** Any run of a cluster that keeps its promises. */
const plot = fc.array(term, { minLength: 1, maxLength: 6 })

function tell(terms: typeof plot extends fc.Arbitrary<infer T> ? T : never): Story {
  const told = new Story()
  for (const [index, { steps, ends, next }] of terms.entries()) {
    for (const step of steps) {
      if (step === 'read') told.read('primary')
      else if (step === 'readReplica') told.read('reads')
      else if (step === 'pass') told.pass(5000)
      else told[step]()
    }
    const others = MEMBERS.filter((member) => member !== told.leader)
    if (index < terms.length - 1) told[ends](others[next]!)
  }
  return told
}

const promisesBroken = (entries: readonly Entry[]) =>
  check(entries).violations.map(({ promise }) => promise)

/** Plants one violation; undefined where the story gives no occasion. */
function planted(plant: (told: Story, pick: number) => Entry[] | undefined, promise: string): void {
  let occasions = 0
  fc.assert(
    fc.property(plot, fc.nat(), (terms, pick) => {
      const entries = plant(tell(terms), pick)
      if (entries === undefined) return
      occasions += 1
      expect(promisesBroken(entries)).toContain(promise)
    }),
    { numRuns: 300 },
  )
  expect(occasions).toBeGreaterThan(30)
}

test('a history of a cluster that keeps its promises passes', () => {
  fc.assert(
    fc.property(plot, (terms) => {
      expect(check(tell(terms).end()).violations).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('every write that is there in the end is missed when it is gone', () => {
  planted((told, pick) => {
    const entries = told.end()
    const { ids } = only(entries, 'final')[0]!
    if (ids.length === 0) return undefined
    const gone = ids[pick % ids.length]
    for (const final of only(entries, 'final')) {
      final.ids = final.ids.filter((id) => id !== gone)
    }
    return entries
  }, 'lost write')
})

test('every write that a crash lost is noticed when it comes back', () => {
  planted((told, pick) => {
    const entries = told.end()
    const there = new Set(only(entries, 'final')[0]!.ids)
    const began = only(entries, 'manifest').filter(({ finishedAt }) => finishedAt !== null)
    const gone = only(entries, 'write').filter(
      ({ id, invoked }) =>
        // Sent right behind a snapshot's start it may have come into it.
        !there.has(id) &&
        began.every((one) => invoked < one.startedAt! || invoked > one.finishedAt! + 100),
    )
    if (gone.length === 0) return undefined
    const { id } = gone[pick % gone.length]!
    for (const final of only(entries, 'final')) final.ids.push(id)
    return entries
  }, 'resurrected write')
})

test('any two successive terms that overlap are noticed', () => {
  planted((told, pick) => {
    const entries = told.end()
    const terms = only(entries, 'term')
    if (terms.length < 2) return undefined
    const index = pick % (terms.length - 1)
    terms[index]!.until = terms[index + 1]!.from + 100
    return entries
  }, 'two primaries')
})

test('any write that the member before took after its successor had one is noticed', () => {
  planted((told) => {
    if (told.epoch === 1) return undefined
    const write = told.write()
    const before = told.write()
    before.member = only(told.end(), 'term').at(-2)!.member
    only(told.entries, 'term').at(-2)!.until = null
    expect(write.member).not.toBe(before.member)
    return told.entries
  }, 'stale primary')
})

test('any claim of something older than the newest published is noticed', () => {
  planted((told, pick) => {
    const entries = told.end()
    const claims = only(entries, 'manifest').filter(({ seq }) => seq === 0)
    const manifests = only(entries, 'manifest')
    const skipping = claims.flatMap((claim) => {
      const of = manifests.find(({ id }) => id === claim.of)
      const older = manifests.filter(
        (one) => of && one.epoch === of.epoch && one.seq < of.seq && one.tarball !== of.tarball,
      )
      return older.map((one) => ({ claim, one }))
    })
    if (skipping.length === 0) return undefined
    const { claim, one } = skipping[pick % skipping.length]!
    claim.of = one.id
    claim.tarball = one.tarball
    return entries
  }, 'older claim')
})

test('any primary that forgets what it showed in its epoch is noticed', () => {
  planted((told) => {
    told.write()
    told.read('primary')
    told.read('primary')
    only(told.entries, 'read').at(-1)!.value -= 1
    return told.end()
  }, 'primary went back')
})

test('any read that is further behind what was published than the lag is noticed', () => {
  planted((told) => {
    told.write()
    told.read('primary')
    told.pass(11_000)
    told.snapshot()
    told.pass(5000)
    told.read('reads')
    only(told.entries, 'read').at(-1)!.value -= 1
    return told.end()
  }, 'read lag')
})
