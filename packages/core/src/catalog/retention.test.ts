import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { claimFor, lay, manifestFor, storeOf, viewOf } from './catalog-fixture.ts'
import { isGood, type CatalogView } from './catalog-view.ts'
import { chainOf } from './chain.ts'
import type { Manifest } from './manifest.ts'
import { manifestKey } from './names.ts'
import { prune } from './prune.ts'
import { CatalogReader } from './read-catalog.ts'
import { restoreCandidates } from './restore-candidates.ts'
import { planRetention, type RetentionPlan } from './retention.ts'

const removedBy = (plan: RetentionPlan) =>
  plan.remove.map(({ entry }) => entry.id.replace(/0{9}/g, ''))

function snapshots(epoch: number, count: number, hours: number, from = 0): Manifest[] {
  return Array.from({ length: count }, (_, index) =>
    manifestFor(epoch, index + 1, { hour: from + index * hours }),
  )
}

describe('the rules', () => {
  test('keepLast keeps the newest so many', async () => {
    const view = await viewOf(...snapshots(0, 5, 1))
    expect(removedBy(planRetention(view, { keepLast: 2, keepDaily: 0 }))).toEqual([
      '0-1',
      '0-2',
      '0-3',
    ])
  })

  test('keepDaily keeps the newest of each of the last days that have one', async () => {
    const view = await viewOf(...snapshots(0, 8, 12))
    expect(removedBy(planRetention(view, { keepLast: 1, keepDaily: 3 }))).toEqual([
      '0-1',
      '0-2',
      '0-3',
      '0-5',
      '0-7',
    ])
  })

  test('a snapshot whose tarball is gone is not counted, and goes only when all older ones do', async () => {
    const store = await storeOf(...snapshots(0, 5, 1))
    await store.delete(manifestFor(0, 4, { hour: 3 }).object?.key as string)
    const view = await new CatalogReader(store).read()
    expect(removedBy(planRetention(view, { keepLast: 2, keepDaily: 0 }))).toEqual(['0-1', '0-2'])
  })

  test('nothing goes when every tarball has vanished', async () => {
    const store = await storeOf(...snapshots(0, 5, 1))
    for (const key of store.bucket.objects.keys())
      if (key.endsWith('snapshot')) await store.delete(key)
    const view = await new CatalogReader(store).read()
    expect(planRetention(view, { keepLast: 1, keepDaily: 0 }).remove).toEqual([])
  })

  test('the newest claim stays, however old, with the manifest it claims', async () => {
    const old = snapshots(1, 2, 1)
    const claim = claimFor(2, old[1] as Manifest, 2)
    const view = await viewOf(claimFor(1, null), ...old, claim, ...snapshots(2, 4, 24, 48))
    expect(removedBy(planRetention(view, { keepLast: 1, keepDaily: 0 }))).toEqual([
      '1-0',
      '1-1',
      '2-1',
      '2-2',
      '2-3',
    ])
  })

  test('what a zombie wrote is not counted, and stays until it is older than the chain', async () => {
    const old = snapshots(1, 1, 1)
    const zombies = [manifestFor(1, 2, { hour: 3 }), manifestFor(1, 3, { hour: 4 })]
    const claim = claimFor(2, old[0] as Manifest, 2)
    const second = snapshots(2, 3, 1, 5)
    const history = [claimFor(1, null), ...old, ...zombies, claim, ...second]
    const rules = { keepLast: 1, keepDaily: 0 }
    expect(removedBy(planRetention(await viewOf(...history), rules))).toEqual(['1-0', '2-1', '2-2'])
    const next = [claimFor(3, second[2] as Manifest, 9), ...snapshots(3, 2, 1, 10)]
    expect(removedBy(planRetention(await viewOf(...history, ...next), rules))).toEqual([
      '1-0',
      '1-1',
      '1-2',
      '1-3',
      '2-0',
      '2-1',
      '2-2',
      '3-1',
    ])
  })

  test('a final stays while anything older is kept, so that no restore slips past it', async () => {
    const first = [
      claimFor(1, null),
      manifestFor(1, 1, { hour: 1 }),
      manifestFor(1, 2, { hour: 30, final: true }),
    ]
    const second = [claimFor(2, first[2] as Manifest, 31), manifestFor(2, 1, { hour: 32 })]
    const view = await viewOf(...first, ...second, claimFor(3, second[1] as Manifest, 33))
    const removed = removedBy(planRetention(view, { keepLast: 1, keepDaily: 2 }))
    expect(removed).toEqual(['1-0'])
  })

  test('nothing goes while a manifest of a newer format is there', async () => {
    const store = await storeOf(...snapshots(0, 5, 1))
    await store.put(manifestKey('0000000000-0000000001'), '{"format":2}')
    const plan = planRetention(await new CatalogReader(store).read(), { keepLast: 1, keepDaily: 0 })
    expect(plan).toMatchObject({ remove: [], blockedBy: expect.stringContaining('newer format') })
  })
})

test('prune stops at once when the permit is gone, and leaves a later epoch alone', async () => {
  const store = await storeOf(...snapshots(0, 5, 1))
  const reader = new CatalogReader(store)
  const rules = { keepLast: 1, keepDaily: 0 }
  let asked = 0
  const stillPrimary = async () => ++asked < 3
  expect(await prune(reader, rules, { epoch: 0, stillPrimary })).toMatchObject({
    stopped: 'not-primary',
  })
  expect((await reader.read()).entries).toHaveLength(3)
  await lay(store, claimFor(1, null, 9))
  const all = { epoch: 0, stillPrimary: async () => true }
  expect(await prune(reader, rules, all)).toMatchObject({ removed: [], stopped: 'superseded' })
})

/** Any history of terms with zombies, lost tarballs and damaged manifests. */
const histories = fc
  .array(
    fc.record({
      count: fc.nat(4),
      zombies: fc.nat(2),
      hours: fc.integer({ min: 1, max: 30 }),
      final: fc.boolean(),
      lost: fc.array(fc.nat(4), { maxLength: 2 }),
      damaged: fc.option(fc.nat(8), { freq: 4 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((terms) => async () => {
    const store = await storeOf()
    let of: Manifest | null = null
    let hour = 0
    for (const [index, term] of terms.entries()) {
      const epoch = index + 1
      await lay(store, claimFor(epoch, of, hour))
      for (let seq = 1; seq <= term.count + term.zombies; seq++) {
        hour += term.hours
        const final = term.final && seq === term.count ? { final: true as const } : {}
        const manifest = manifestFor(epoch, seq, { hour, ...final })
        await lay(store, manifest)
        if (term.lost.includes(seq)) await store.delete(manifest.object?.key as string)
        if (term.damaged === seq) await store.put(manifestKey(manifest.id), '{')
        if (seq <= term.count) of = manifest
      }
    }
    return store
  })

const goodTarballs = (view: CatalogView) =>
  new Set(
    chainOf(view).links.flatMap((link) =>
      link.kind === 'snapshot' && isGood(view, link) ? [link.manifest.object.key] : [],
    ),
  )

function retentionIsSafe(plan: typeof planRetention) {
  const rulesOf = fc.record({ keepLast: fc.integer({ min: 1, max: 4 }), keepDaily: fc.nat(4) })
  return fc.asyncProperty(histories, rulesOf, fc.nat(30), async (make, rules, crashAfter) => {
    const store = await make()
    const before = await new CatalogReader(store).read()
    const removed = plan(before, rules).remove.slice(0, crashAfter)
    for (const { entry } of removed) await store.delete(entry.key)
    const after = await new CatalogReader(store).read()

    const good = goodTarballs(before)
    expect(goodTarballs(after).size).toBeGreaterThanOrEqual(Math.min(rules.keepLast, good.size))
    expect(after.entries.filter((entry) => entry.kind === 'unreadable')).toHaveLength(
      before.entries.filter((entry) => entry.kind === 'unreadable').length,
    )
    expect(after.entries[0]?.epoch).toBe(before.entries[0]?.epoch)
    // What was off the chain must never come onto it, nor a restore reach further back.
    const was = new Set(chainOf(before).links.map((link) => link.id))
    for (const link of chainOf(after).links) expect(was).toContain(link.id)
    const allowed = restoreCandidates(before).candidates.map((each) => each.manifest.object.key)
    for (const each of restoreCandidates(after).candidates) {
      expect(allowed).toContain(each.manifest.object.key)
    }
  })
}

test('pruning, cut short anywhere, keeps enough good ones and shows no zombie', async () => {
  await fc.assert(retentionIsSafe(planRetention), { numRuns: 500 })
})

test.each<[string, typeof planRetention]>([
  [
    'counts what is not on the chain',
    (view, rules) => {
      const all = view.entries.filter((entry) => entry.kind === 'snapshot')
      const remove = all
        .slice(rules.keepLast)
        .map((entry) => ({ entry, why: 'superseded' as const }))
      return { remove: remove.toReversed(), blockedBy: undefined }
    },
  ],
  [
    'lets finals and claims go before what is older',
    (view, rules) => {
      const { remove } = planRetention(view, rules)
      const gone = new Set(remove.map(({ entry }) => entry))
      const links = view.entries.filter((entry) => entry.kind === 'snapshot' && !gone.has(entry))
      const extra = links
        .slice(1)
        .flatMap((entry) =>
          entry.kind === 'snapshot' && entry.manifest.final
            ? [{ entry, why: 'superseded' as const }]
            : [],
        )
      return { remove: [...extra, ...remove], blockedBy: undefined }
    },
  ],
])('a retention that %s is caught', async (_name, broken) => {
  expect((await fc.check(retentionIsSafe(broken), { numRuns: 500 })).failed).toBe(true)
})
