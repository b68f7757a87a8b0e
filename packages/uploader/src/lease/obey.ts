import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isError, MeiliHaError, messageOf } from '@meili-ha/core/errors.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { syncSchema } from '@meili-ha/core/ha/sync.ts'
import { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import { parseWant } from '@meili-ha/core/ha/want.ts'
import type { PublishedNote } from './published-note.ts'
import type { TermWriter } from './term-writer.ts'

const POLL_MS = 200
/** While the kernel tells what is written. */
const TOLD_POLL_MS = 1000
/** During a promotion or hand-over: nobody can write meanwhile. */
const HURRIED_MS = 50
const RETRY_MS = 1000

export interface ObeyOptions {
  ha: HaDir
  note: PublishedNote
  writer: Pick<TermWriter, 'claim' | 'final'>
  log: Logger
}

/**
 * Does what the lease-keeper asks of the uploader: the claim of a promotion, once the fetcher has
 * decided it, and the final snapshot of a hand-over. Until `signal` aborts, and until a hand-over
 * that is under way is done. Never throws.
 */
export async function obeyWants(options: ObeyOptions, signal: AbortSignal): Promise<void> {
  const { ha, note, log } = options
  using bell = new HaBell(ha, ['want'])
  let refused: string | undefined
  while (!signal.aborted) {
    const line = await ha.readLine('want').catch(() => undefined)
    try {
      // Fixed roles lead the same epoch again: what was refused then says nothing about the next time.
      if (note.facts.failed && note.facts.failed.want !== line) await note.set({ failed: null })
      if (line === refused) continue
      refused = undefined
      await obey(line, options, signal)
    } catch (error) {
      if (signal.aborted) return
      log.error({ event: 'want.failed', want: line, err: error }, `${line}: ${messageOf(error)}`)
      if (isTransient(error)) await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
      else {
        refused = line
        // A full /ha must not end the uploader: the keeper's time-out says the same, later.
        await note.set({ failed: { want: line ?? '', message: messageOf(error) } }).catch(() => {})
      }
    } finally {
      const verb = line === refused ? undefined : parseWant(line ?? '')?.verb
      if (verb === 'promote') await bell.wait(HURRIED_MS, signal)
      // A final that failed is tried again without being asked again.
      else await bell.wait(POLL_MS, signal, verb === 'final' ? POLL_MS : TOLD_POLL_MS)
    }
  }
}

async function obey(
  line: string | undefined,
  { ha, note, writer }: ObeyOptions,
  signal: AbortSignal,
): Promise<void> {
  const want = parseWant(line ?? '')
  if (want?.verb === 'promote' && note.facts.claimed !== want.epoch) {
    const sync = await ha.readJson('sync.json', syncSchema)
    const decided = sync?.acknowledged === line && sync?.claim?.epoch === want.epoch
    if (!decided || !sync?.claim) return
    await writer.claim(sync.claim, sync.clusterId, signal)
    return
  }
  if (want?.verb === 'final' && note.facts.final?.epoch !== want.epoch) {
    await writer.final(want.epoch, signal)
  }
}

/** What may be better at the next try; the keeper's own time-out decides how long that may go on. */
function isTransient(error: unknown): boolean {
  return (
    isError(error, 'STORE_UNREACHABLE', 'GUARD_SILENT', 'NOT_PERMITTED') ||
    !(error instanceof MeiliHaError)
  )
}
