import { describe, expect, test } from 'vitest'
import { claimFor, lay, manifestFor, storeOf, viewOf } from './catalog-fixture.ts'
import { catalogTotals } from './catalog-totals.ts'
import { chainOf } from './chain.ts'
import type { Manifest } from './manifest.ts'
import { manifestKey } from './names.ts'
import { CatalogReader } from './read-catalog.ts'
import { restoreCandidates } from './restore-candidates.ts'

const short = (entries: readonly { id: string }[]) =>
  entries.map(({ id }) => id.replaceAll(/0{9}/g, ''))

const tarballOf = (manifest: Manifest) => manifest.object?.key as string

/** Epoch 1: claim, 1, 2; a zombie's 3 after epoch 2 had claimed 2; then epoch 2's own. */
const two = manifestFor(1, 2)
const zombie = manifestFor(1, 3)
const claim = claimFor(2, two)
const history = [claimFor(1, null), manifestFor(1, 1), two, zombie, claim, manifestFor(2, 1)]

async function damage(store: Awaited<ReturnType<typeof storeOf>>, id: string, text: string) {
  await store.put(manifestKey(id), text)
  return new CatalogReader(store).read()
}

describe('the chain', () => {
  test('leads through the claims and leaves out what a zombie wrote', async () => {
    const chain = chainOf(await viewOf(...history))
    expect(short(chain.links)).toEqual(['2-1', '2-0', '1-2', '1-1', '1-0'])
    expect(short(chain.offChain)).toEqual(['1-3'])
    expect(chain.brokenAt).toBeUndefined()
  })

  test('a claim of a manifest that is missing leads nobody to a zombie', async () => {
    const view = await viewOf(...history.filter((each) => each !== two))
    expect(short(chainOf(view).links)).toEqual(['2-1', '2-0', '1-1', '1-0'])
    expect(restoreCandidates(view).candidates[1]?.manifest.object.key).toBe(tarballOf(two))
  })

  test('without its claim, what is older than an epoch is on no list of good ones', async () => {
    const chain = chainOf(await viewOf(...history.filter((each) => each !== claim)))
    expect(short(chain.links)).toEqual(['2-1'])
    expect(short(chain.unplaced)).toEqual(['1-3', '1-2', '1-1', '1-0'])
    expect(chain.brokenAt).toBe(2)
  })

  test('an epoch that began empty ends it', async () => {
    const chain = chainOf(await viewOf(manifestFor(0, 1), claimFor(1, null), manifestFor(1, 1)))
    expect(short(chain.offChain)).toEqual(['0-1'])
  })
})

describe('what may be restored unasked', () => {
  test('the newest, then the older good ones of the chain, each tarball once', async () => {
    const plan = restoreCandidates(await viewOf(...history))
    expect(short(plan.candidates)).toEqual(['2-1', '2-0', '1-1'])
    expect(plan.end).toBe('empty-beginning')
  })

  test('passes over a tarball that is gone or short, and says so', async () => {
    const store = await storeOf(...history)
    await store.delete(tarballOf(history[5] as Manifest))
    await store.put(tarballOf(two), 'short')
    const plan = restoreCandidates(await new CatalogReader(store).read())
    expect(short(plan.candidates)).toEqual(['1-1'])
    expect(short(plan.skipped)).toEqual(['2-1', '2-0', '1-2'])
    expect(plan.skipped.map(({ why }) => why)).toEqual([
      expect.stringContaining('gone'),
      expect.stringContaining('another size'),
      expect.stringContaining('another size'),
    ])
  })

  test('never goes past a final by itself, claimed or not', async () => {
    const final = manifestFor(1, 2, { final: true })
    const store = await storeOf(claimFor(1, null), manifestFor(1, 1), final, claimFor(2, final))
    await store.delete(tarballOf(final))
    const plan = restoreCandidates(await new CatalogReader(store).read())
    expect(plan).toMatchObject({ candidates: [], end: 'final' })
    expect(plan.exhausted.code).toBe('MEILI_HA_SNAPSHOT_NONE_GOOD')
    expect(plan.exhausted.message).toContain('stopped primary')
  })

  test.each([
    ['is not even JSON, and may have been a final', '{"form', []],
    ['is whole enough to show that it was no final', `{"format":1,"id":"${two.id}"}`, ['1-1']],
    ["is another's, and so says nothing", `{"format":1,"id":"${zombie.id}"}`, []],
  ])('a newest manifest that %s', async (_what, text, expected) => {
    const store = await storeOf(claimFor(1, null), manifestFor(1, 1), two)
    const plan = restoreCandidates(await damage(store, two.id, text))
    expect(short(plan.candidates)).toEqual(expected)
    expect(short(plan.skipped)).toEqual(['1-2'])
  })

  test('passes over a damaged manifest where no final can be: without a lease, or with a later one', async () => {
    const alone = await storeOf(manifestFor(0, 1), manifestFor(0, 2))
    const plan = restoreCandidates(await damage(alone, manifestFor(0, 2).id, '{'))
    expect(short(plan.candidates)).toEqual(['0-1'])
    const led = await storeOf(claimFor(1, null), manifestFor(1, 1), two, zombie)
    const between = restoreCandidates(await damage(led, two.id, '{'))
    expect(short(between.candidates)).toEqual(['1-3', '1-1'])
  })

  test('a newer format is an error when it is reached, and nobody falls back past it', async () => {
    const store = await storeOf(...history)
    const plan = restoreCandidates(await damage(store, manifestFor(2, 1).id, '{"format":2}'))
    expect(plan).toMatchObject({ candidates: [], end: 'newer-format' })
    expect(plan.exhausted.code).toBe('MEILI_HA_MANIFEST_NEWER_FORMAT')
  })

  test("never another cluster's, which the next start would refuse", async () => {
    const own = manifestFor(0, 1)
    const store = await storeOf(own, manifestFor(0, 2, { clusterId: 'theirs' }))
    await store.put(
      'cluster.json',
      JSON.stringify({ clusterId: own.clusterId, createdAt: own.createdAt }),
    )
    const plan = restoreCandidates(await new CatalogReader(store).read())
    expect(plan.candidates.map(({ id }) => id)).toEqual([own.id])
    expect(plan.skipped).toMatchObject([
      { id: manifestFor(0, 2).id, why: 'it is of cluster theirs, the store of test-cluster' },
    ])
  })

  test('an empty store, and an empty beginning, have none; a person need not look', async () => {
    const codes = [await viewOf(), await viewOf(claimFor(1, null))].map(
      (view) => restoreCandidates(view).exhausted.code,
    )
    expect(codes).toEqual(['MEILI_HA_SNAPSHOT_NONE', 'MEILI_HA_SNAPSHOT_NONE'])
  })
})

test('totals count what is paid for and what is wrong', async () => {
  const store = await storeOf(...history)
  await store.delete(tarballOf(zombie))
  await lay(store, manifestFor(2, 2))
  const view = await damage(store, manifestFor(2, 2).id, '{')
  expect(catalogTotals(view)).toEqual({
    snapshots: 3,
    offChain: 1,
    unreadable: 1,
    damaged: 1,
    tarballs: 4,
    tarballBytes: 4 * tarballOf(two).length,
  })
})
