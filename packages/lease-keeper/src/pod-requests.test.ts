import { describe, expect, test } from 'vitest'
import type { Event } from './event.ts'
import { decide } from './decide.ts'
import { settingsFor } from './settings-fixture.ts'
import { startingState } from './state.ts'

const settings = settingsFor()

/** Centiseconds until the pod is read again after its request failed so. */
function waitAfter(failure: Event): number {
  let now = 100
  let state = startingState(now, null, 0)
  const tell = (event: Event) => {
    const decided = decide(settings, state, event, { boot: now, wall: '2027-01-01T00:00:00Z' })
    state = decided.state
    return decided.actions
  }
  tell({ type: 'tick' })
  expect(state.pod.inFlight?.kind).toBe('read')
  tell(failure)
  for (const failedAt = now; now < failedAt + 1000; now++) {
    if (tell({ type: 'tick' }).some(({ type }) => type === 'readPod')) return now - failedAt
  }
  return Infinity
}

describe('a request about a pod that failed', () => {
  test('is repeated soon after a conflict: a member is routed to a moment after it leads', () => {
    expect(waitAfter({ type: 'podFailed', conflict: true })).toBeLessThanOrEqual(13)
  })

  test('is repeated at leisure when the API server is in trouble', () => {
    expect(waitAfter({ type: 'podFailed', conflict: false })).toBe(settings.timing.renewEvery / 2)
  })
})
