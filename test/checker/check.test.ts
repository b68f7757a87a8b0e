import { describe, expect, test } from 'vitest'
import { check } from './check.ts'
import { only, type Entry, type TermSeen } from './history.ts'
import { Story } from './story.fixture.ts'

const found = (entries: readonly Entry[]) => [
  ...new Set(check(entries).violations.map(({ promise }) => promise)),
]

describe('the checker passes', () => {
  test('a cluster to which nothing happens', () => {
    const story = new Story()
    story.write()
    story.read('primary')
    expect(check(story.end())).toMatchObject({ violations: [], acknowledged: 1, lost: 0, terms: 1 })
  })

  test('a crash that loses what was not published', () => {
    const story = new Story()
    story.write()
    story.snapshot()
    story.write()
    story.crash('m2')
    story.write()
    expect(check(story.end())).toMatchObject({ violations: [], acknowledged: 3, lost: 1, terms: 2 })
  })

  test('a crash before anything was published', () => {
    const story = new Story()
    story.write()
    story.crash('m2')
    expect(check(story.end())).toMatchObject({ violations: [], lost: 1 })
  })

  test('a hand-over, and a crash of the successor before it published', () => {
    const story = new Story()
    story.write()
    story.handOver('m2')
    story.write()
    story.crash('m3')
    expect(check(story.end())).toMatchObject({ violations: [], lost: 1, terms: 3 })
  })

  test('a claim that goes past a damaged snapshot', () => {
    const story = new Story()
    story.write()
    story.snapshot()
    story.crash('m2')
    const entries = story.end()
    const zombie = { ...only(entries, 'manifest')[1]!, id: '0000000001-0000000002', seq: 2 }
    entries.push({ ...zombie, tarball: 'better' })
    expect(found(entries)).toContain('older claim')
    const damage = { kind: 'fault', fault: 'damage', member: null, from: 0, until: 0 } as const
    expect(found([...entries, { ...damage, damaged: 'better' }])).toEqual([])
  })

  test('a read within the lag', () => {
    const story = lateRead(9000)
    expect(found(story.end())).toEqual([])
  })
})

/** A standby shows at the end what it held before a value that the primary showed so long before. */
function lateRead(behindMs: number): Story {
  const story = new Story()
  story.write()
  story.snapshot()
  story.write()
  story.read('primary')
  story.pass(behindMs)
  story.snapshot()
  story.pass(5000)
  story.read('reads')
  Object.assign(only(story.entries, 'read').at(-1)!, { value: 1 })
  return story
}

describe('the checker finds', () => {
  test('a write missing that the claimed snapshot must hold by its task mark', () => {
    const story = new Story()
    const { id } = story.write()
    story.snapshot()
    story.crash('m2')
    const entries = story.end()
    for (const final of only(entries, 'final')) final.ids = final.ids.filter((one) => one !== id)
    expect(found(entries)).toEqual(['lost write'])
  })

  test('a write missing that was acknowledged before the snapshot began', () => {
    const story = new Story()
    const { id } = story.write()
    story.pass(1000)
    story.snapshot().lastTaskUid = null
    story.crash('m2')
    const entries = story.end()
    for (const final of only(entries, 'final')) final.ids = final.ids.filter((one) => one !== id)
    expect(found(entries)).toEqual(['lost write'])
  })

  test('any write missing after a hand-over', () => {
    const story = new Story()
    const { id } = story.write()
    story.handOver('m2')
    const entries = story.end()
    for (const final of only(entries, 'final')) final.ids = final.ids.filter((one) => one !== id)
    expect(found(entries)).toEqual(['lost write'])
  })

  test('a hand-over that went on with something that is not final', () => {
    const story = new Story()
    story.handOver('m2')
    const entries = story.end()
    for (const manifest of only(entries, 'manifest')) manifest.final = false
    expect(found(entries)).toContain('planned hand-over')
  })

  test('a write missing of the term that never ended', () => {
    const story = new Story()
    story.write()
    const entries = story.end()
    for (const final of only(entries, 'final')) final.ids = []
    expect(found(entries)).toEqual(['lost write'])
  })

  test('more lost than was printed', () => {
    const story = new Story()
    story.write()
    story.snapshot()
    story.pass(20_000)
    story.write()
    story.crash('m2')
    const entries = story.end()
    only(entries, 'promoted')[0]!.lossMs = 1000
    expect(found(entries)).toEqual(['printed loss'])
    // Nothing is promised about what its Meilisearch takes while the guard is frozen.
    const frozen = { kind: 'fault', fault: 'freeze guard', member: 'm1', excused: true } as const
    expect(found([...entries, { ...frozen, from: 2000, until: 90_000 }])).toEqual([])
  })

  test('a write that comes back after a failover had lost it', () => {
    const story = new Story()
    story.snapshot()
    const { id } = story.write()
    story.crash('m2')
    const entries = story.end()
    for (const final of only(entries, 'final')) final.ids.push(id)
    expect(found(entries)).toEqual(['resurrected write'])
  })

  test('a document that nobody wrote', () => {
    const entries = new Story().end()
    for (const final of only(entries, 'final')) final.ids.push('d-9')
    expect(found(entries)).toEqual(['ghost'])
  })

  test('members that differ in the end', () => {
    const story = new Story()
    story.write()
    const entries = story.end()
    only(entries, 'final')[2]!.ids = []
    expect(found(entries)).toContain('members differ')
  })

  test('two terms that overlap, unless its guard was frozen', () => {
    const story = new Story()
    story.crash('m2')
    const entries = story.end()
    const [first, second] = only(entries, 'term') as [TermSeen, TermSeen]
    first.until = second.from + 200
    expect(found(entries)).toEqual(['two primaries'])
    const frozen = { kind: 'fault', fault: 'freeze guard', member: 'm1', excused: true } as const
    expect(found([...entries, { ...frozen, from: 0, until: second.from }])).toEqual([])
  })

  test('one epoch of two members', () => {
    const story = new Story()
    story.crash('m2')
    const entries = story.end()
    only(entries, 'term')[1]!.epoch = 1
    expect(found(entries)).toContain('one epoch, two members')
  })

  test('a write taken by the old primary after one of its successor', () => {
    const story = new Story()
    story.crash('m2')
    story.write()
    const late = { ...story.write(), id: 'd-late', member: 'm1' }
    const entries = [...story.end(), late]
    expect(found(entries)).toEqual(['write without a term'])
    only(entries, 'term')[0]!.until = null
    expect(found(entries)).toContain('stale primary')
  })

  test('a read further back than the lag', () => {
    expect(found(lateRead(11_000).end())).toEqual(['read lag'])
  })

  test('a primary that forgets within its term', () => {
    const story = new Story()
    story.write()
    story.read('primary')
    story.read('primary')
    const entries = story.end()
    only(entries, 'read')[1]!.value = 0
    expect(found(entries)).toEqual(['primary went back'])
  })
})
