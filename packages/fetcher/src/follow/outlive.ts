import { setTimeout as sleep } from 'node:timers/promises'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema, syncSchema } from '@meili-ha/core/ha/sync.ts'
import { formatWant, parseWant } from '@meili-ha/core/ha/want.ts'

const POLL_MS = 250
/** From SIGTERM to the keeper's `want final`: it got its own, or it is only this program that ends. */
const PATIENCE_MS = 15_000

/**
 * A signal that aborts after `signal` has: at once, unless this member leads. Then its hand-over comes
 * first, in which the fetcher has the last word: a directory that was published whole but doesn't say
 * so would be set aside as diverged, and without that word the lease isn't released.
 */
export function outlive(signal: AbortSignal, ha: HaDir): AbortSignal {
  const life = new AbortController()
  const end = () => {
    handedOver(ha)
      .catch(() => {})
      .finally(() => life.abort())
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return life.signal
}

async function handedOver(ha: HaDir): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const want = parseWant((await ha.readLine('want')) ?? '')
    if (want?.verb !== 'lead' && want?.verb !== 'final') return
    const waiting = want.verb === 'final' ? await isOpen(ha, formatWant(want)) : true
    if (!waiting || (want.verb === 'lead' && performance.now() > until)) return
    await sleep(POLL_MS)
  }
}

/** Neither done nor given up by whoever has a part in it. */
async function isOpen(ha: HaDir, line: string): Promise<boolean> {
  const [sync, published] = await Promise.all([
    ha.readJson('sync.json', syncSchema),
    ha.readJson('published.json', publishedSchema),
  ])
  const failed = [sync?.failed?.want, published?.failed?.want].includes(line)
  return sync?.acknowledged !== line && !failed
}
