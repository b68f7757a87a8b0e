import { setImmediate as allTold, setTimeout as sleep } from 'node:timers/promises'
import type { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import type { HaFile } from '@meili-ha/core/ha/ha-dir.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { isLate } from '@meili-ha/core/meilisearch/request.ts'
import type { Keeper } from './keeper.ts'

/** What others say to a keeper, and its own permit, which is mended as soon as it is gone. */
export const HEARD: readonly HaFile[] = ['guard', 'sync.json', 'published.json', 'drain', 'permit']

/** Twice a guard's tick: what the guard says is known before it says the next. */
const TICK_MS = 125
/** While the kernel tells of each of the guard's four beats a second, and one may be late. */
const TOLD_TICK_MS = 400
/** All of `/ha` is looked at as often as this, whatever was told: what is told may be lost. */
const WHOLE_LOOK_MS = 1000
/** While it changes hands: each look is a step, and nobody can write meanwhile. */
const HURRIED_MS = 50
/** An unhealthy Meilisearch is noticed within this; one request on loopback. */
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
      // One that has only just started is routed to as soon as it answers; one that was late is asked again.
      const { health } = keeper.state
      const soon = isChanging(keeper) || health?.healthy === false || health?.lateAt !== undefined
      await sleep(soon ? HURRIED_MS : HEALTH_MS, undefined, { signal: ended.signal }).catch(
        () => {},
      )
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
        if (rang.size === 1 && rang.has('guard') && now - wholeAt < WHOLE_LOOK_MS) {
          await keeper.tickByBeat()
        } else {
          await keeper.tick()
          state()
          wholeAt = now
        }
        rang = new Set()
        if (isChanging(keeper)) await sleep(HURRIED_MS)
        else rang = await bell.wait(TICK_MS, restsUntil(), TOLD_TICK_MS)
        // The guard empties its file and then fills it: that is told twice, and looked at once.
        if (rang.size > 0) await allTold()
      }
    } finally {
      ended.abort()
    }
  }
  await Promise.all([tick(), probe()])
}

function isChanging({ state }: Keeper): boolean {
  return ['acquiring', 'promoting', 'draining', 'stopping'].includes(state.phase.name)
}
