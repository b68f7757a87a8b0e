import { setTimeout as sleep } from 'node:timers/promises'
import type { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import type { HaFile } from '@meili-ha/core/ha/ha-dir.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { isLate } from '@meili-ha/core/meilisearch/request.ts'
import type { Keeper } from './keeper.ts'

/** What others say to a keeper, and its own files, which are mended as soon as they are gone. */
export const HEARD: readonly HaFile[] = [
  ...(['guard', 'sync.json', 'published.json', 'drain'] as const),
  ...(['permit', 'data', 'want', 'drained'] as const),
]

/** Twice a guard's tick: what the guard says is known before it says the next. */
const TICK_MS = 125
/** While the kernel tells of each of the guard's four beats a second, and one may be late. */
const TOLD_TICK_MS = 400
/** All of `/ha` is looked at with the first beat after this, whatever was told: what is told may be lost. */
const WHOLE_LOOK_MS = 1000
/** Two keepers that share a directory by mistake would mend each other's files as fast as they can. */
const SETTLE_MS = 20
/** While it changes hands: each look is a step, and nobody can write meanwhile. */
const HURRIED_MS = 50
/** One that hangs is noticed within this; one request on loopback. */
const HEALTH_MS = 1000

export interface RunOptions {
  keeper: Keeper
  meili: Pick<MeilisearchClient, 'health'>
  /** Of the files in HEARD. */
  bell: Pick<HaBell, 'wait'>
  /** Tells others about this member, where it is due. Never throws. */
  state: () => void
}

/** The whole life of a keeper: until it has ended by itself, some time after `signal` aborts. */
export async function runKeeper(
  { keeper, meili, bell, state }: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController()
  const terminate = () => void keeper.tell({ type: 'terminated' })
  if (signal.aborted) terminate()
  else signal.addEventListener('abort', terminate, { once: true })

  let rest = new AbortController()
  const probe = async () => {
    while (!ended.signal.aborted) {
      // A waiting guard isn't asked: nothing runs that could be healthy.
      if (keeper.state.beat?.state === 'running') {
        const answer = await meili.health().then(
          () => ({ healthy: true }),
          (error: unknown) => ({ healthy: false, late: isLate(error) }),
        )
        await keeper.tell({ type: 'healthSeen', ...answer })
      }
      if (ended.signal.aborted) return
      rest = new AbortController()
      const restMs = isChanging(keeper) || isUnproven(keeper) ? HURRIED_MS : HEALTH_MS
      await sleep(restMs, undefined, { signal: rest.signal }).catch(() => {})
    }
  }
  // Being told to end ends one rest; it must not end each of those that follow before it is over.
  const restsUntil = () => (signal.aborted ? ended.signal : signal)
  const tick = async () => {
    let rang: ReadonlySet<HaFile> = new Set()
    let wholeAt = Number.NEGATIVE_INFINITY
    try {
      while (!keeper.ended) {
        const now = performance.now()
        const isBeat = rang.size === 1 && rang.has('guard') && now - wholeAt < WHOLE_LOOK_MS
        if (isBeat) {
          await keeper.tickByBeat()
        } else {
          await keeper.tick()
          state()
          wholeAt = now
        }
        if (isUnproven(keeper)) rest.abort()
        if (isChanging(keeper)) {
          rang = new Set()
          await sleep(HURRIED_MS)
          continue
        }
        if (!isBeat) await sleep(SETTLE_MS)
        rang = await bell.wait(TICK_MS, restsUntil(), TOLD_TICK_MS)
      }
    } finally {
      ended.abort()
      rest.abort()
    }
  }
  await Promise.all([tick(), probe()])
}

function isChanging({ state }: Keeper): boolean {
  return ['acquiring', 'promoting', 'draining', 'stopping'].includes(state.phase.name)
}

/** Nobody is routed to it before it answers: one that has only just started, or that was late. */
function isUnproven({ state: { beat, health } }: Keeper): boolean {
  return beat?.state === 'running' && (!health?.healthy || health.lateAt !== undefined)
}
