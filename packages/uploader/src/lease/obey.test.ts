import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { fakeMember } from './member.fixture.ts'
import { obeyWants } from './obey.ts'
import type { TermWriter } from './term-writer.ts'

const SYNC: Sync = {
  ...{ writtenAt: 1, bootId: 'b007', decided: true, clusterId: 'c', holds: null, primaryIn: [] },
  ...{ claim: null, newestEpoch: null, newest: null, listedAt: null, uninitialised: false },
  ...{ lagSeconds: 0, ready: true, reason: null, asksSwap: null, acknowledged: null },
  ...{ failed: null, progress: 0 },
}

async function obedient() {
  const member = await fakeMember()
  const stop = new AbortController()
  const writer = {
    claim: vi.fn<TermWriter['claim']>(async () => {}),
    final: vi.fn<TermWriter['final']>(async () => {}),
  }
  const log = pino({ level: 'silent' })
  const { ha, note } = member
  const ended = obeyWants({ ha, note, writer, log }, stop.signal)
  return {
    ...{ ha, note, writer, ended },
    sync: (change: Partial<Sync>) => ha.writeJson('sync.json', { ...SYNC, ...change }),
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await ended
      await member[Symbol.asyncDispose]()
    },
  }
}

test('claims what the fetcher decided, not before it acknowledged this very promotion', async () => {
  await using member = await obedient()
  const claim = { epoch: 2, of: null }
  await member.ha.writeLine('want', 'promote 2')
  await member.sync({ acknowledged: 'promote 1', claim })
  await new Promise((resolve) => setTimeout(resolve, 450))
  await member.sync({ acknowledged: 'promote 2', claim: { epoch: 1, of: null } })
  await new Promise((resolve) => setTimeout(resolve, 450))
  expect(member.writer.claim).not.toHaveBeenCalled()
  await member.sync({ acknowledged: 'promote 2', claim })
  await vi.waitFor(() => expect(member.writer.claim).toHaveBeenCalledOnce())
  expect(member.writer.claim).toHaveBeenCalledWith(claim, 'c', expect.anything())
})

test('does nothing twice: neither a claim nor a final that is noted', async () => {
  await using member = await obedient()
  await member.note.set({
    claimed: 2,
    final: { epoch: 2, id: '0000000002-0000000001', tarball: '' },
  })
  await member.sync({ acknowledged: 'promote 2', claim: { epoch: 2, of: null } })
  await member.ha.writeLine('want', 'promote 2')
  await new Promise((resolve) => setTimeout(resolve, 250))
  await member.ha.writeLine('want', 'final 2')
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect(member.writer.claim).not.toHaveBeenCalled()
  expect(member.writer.final).not.toHaveBeenCalled()
})

test('notes a refusal for the keeper, and tries again only when asked for something else', async () => {
  await using member = await obedient()
  member.writer.final.mockRejectedValue(new MeiliHaError('SNAPSHOT_FOREIGN', 'no VERSION'))
  await member.ha.writeLine('want', 'final 2')
  await vi.waitFor(() =>
    expect(member.note.facts.failed).toEqual({ want: 'final 2', message: 'no VERSION' }),
  )
  await new Promise((resolve) => setTimeout(resolve, 450))
  expect(member.writer.final).toHaveBeenCalledOnce()
  await member.ha.writeLine('want', 'final 3')
  await vi.waitFor(() => expect(member.writer.final).toHaveBeenCalledTimes(2))
})

test('a refusal is over when something else is wanted: with fixed roles the same is asked again', async () => {
  await using member = await obedient()
  member.writer.final.mockRejectedValueOnce(new MeiliHaError('STORE_DENIED', 'a wrong key'))
  await member.ha.writeLine('want', 'final 2')
  await vi.waitFor(() => expect(member.note.facts.failed?.want).toBe('final 2'))
  await member.ha.writeLine('want', 'lead 2')
  await vi.waitFor(() => expect(member.note.facts.failed).toBeNull())
  await member.ha.writeLine('want', 'final 2')
  await vi.waitFor(() => expect(member.writer.final).toHaveBeenCalledTimes(2))
})

test('tries again what a moment may mend, without calling it a failure', async () => {
  await using member = await obedient()
  member.writer.final.mockRejectedValueOnce(new MeiliHaError('STORE_UNREACHABLE', 'down'))
  await member.ha.writeLine('want', 'final 2')
  await vi.waitFor(() => expect(member.writer.final).toHaveBeenCalledTimes(2), { timeout: 5000 })
  expect(member.note.facts.failed).toBeNull()
})
