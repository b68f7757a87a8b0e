import { setTimeout as sleep } from 'node:timers/promises'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { isLate } from '@meili-ha/core/meilisearch/request.ts'
import type { Keeper } from './keeper.ts'

/** Twice a guard's tick: what the guard says is known before it says the next. */
const TICK_MS = 125
/** While it changes hands: each look is a step, and nobody can write meanwhile. */
const HURRIED_MS = 50
/** An unhealthy Meilisearch is noticed within this; one request on loopback. */
const HEALTH_MS = 500

export interface RunOptions {
  keeper: Keeper
  meili: Pick<MeilisearchClient, 'health'>
  /** Tells others about this member, where it is due. Never throws. */
  state: () => void
}

/** The whole life of a keeper: until it has ended by itself, some time after `signal` aborts. */
export async function runKeeper(
  { keeper, meili, state }: RunOptions,
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
  const tick = async () => {
    try {
      while (!keeper.ended) {
        await keeper.tick()
        state()
        await sleep(isChanging(keeper) ? HURRIED_MS : TICK_MS)
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
