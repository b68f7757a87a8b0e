/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import fc from 'fast-check'
import { expect } from 'vitest'
import { bootId, type Guarded, pause } from './guarded.ts'
import { underEachShell } from './shells.ts'

/** What is written to `/ha`, and for how long it stands; times in centiseconds. */
type Step = { lasts: number } & (
  | { file: 'permit'; role: 'primary'; epoch: number; term: number; grace: number }
  | { file: 'permit'; role: 'standby' | 'stop' | 'garbage' | 'absent' }
  | { file: 'data'; state: 'ready -' | 'closed 1' | null }
)

/** Meilisearch was allowed from `from` to `to`; dead no later than `by`. */
interface Allowed {
  from: number
  to: number
  by: number
}

const lasts = fc.integer({ min: 5, max: 120 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      file: fc.constant('permit' as const),
      role: fc.constant('primary' as const),
      epoch: fc.integer({ min: 1, max: 3 }),
      term: fc.integer({ min: 20, max: 200 }),
      grace: fc.integer({ min: 0, max: 80 }),
      lasts,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      file: fc.constant('permit' as const),
      role: fc.constantFrom('standby', 'stop', 'garbage', 'absent'),
      lasts,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      file: fc.constant('data' as const),
      state: fc.constantFrom('ready -' as const, 'ready -' as const, 'closed 1' as const, null),
      lasts,
    }),
  },
)

/** A look takes 25; the rest is what this machine may be late by. */
const LATE = 60
const BUSY = 30
/** SIGTERM to SIGKILL, where it is ignored. */
const GRACE = 200

/** Plays the steps to a real guard; what the files allowed, and when. */
async function play(guarded: Guarded, steps: Step[], stubborn: boolean): Promise<Allowed[]> {
  const allowed: Allowed[] = []
  let ready = true
  let role: 'primary' | 'standby' | 'none' = 'none'
  let killAt = Infinity
  guarded.data('ready -')
  for (const each of steps) {
    const from = systemBootClock.now()
    if (each.file === 'data') {
      guarded.data(each.state)
      ready = each.state === 'ready -'
    } else if (each.role === 'primary') {
      killAt = guarded.primary(each.epoch, each.term, each.term + each.grace).killAt
      role = 'primary'
    } else {
      if (each.role === 'absent') guarded.permit(null)
      else if (each.role === 'garbage') guarded.permit(`primary 1 soon later ${bootId}`)
      else guarded.role(each.role)
      role = each.role === 'standby' ? 'standby' : 'none'
    }
    await pause(each.lasts * 10)
    const to = systemBootClock.now()
    if (!ready || role === 'none') continue
    const withdrawn = to + LATE + (stubborn ? GRACE : 0)
    if (role === 'standby') allowed.push({ from, to, by: withdrawn })
    else if (from < killAt) {
      allowed.push({ from, to: Math.min(to, killAt), by: Math.min(withdrawn, killAt + BUSY) })
    }
  }
  return allowed
}

underEachShell('whatever comes in whatever order', (it) => {
  for (const stubborn of [false, true]) {
    const kind = stubborn ? 'that ignores SIGTERM' : 'that obeys'
    it(`a Meilisearch ${kind} never runs beyond what was allowed`, async ({ start }) => {
      const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
      const histories = fc.sample(fc.array(step, { minLength: 8, maxLength: 14 }), {
        seed,
        numRuns: 3,
      })
      await Promise.all(
        histories.map(async (steps) => {
          const guarded = start({ mode: [stubborn ? 'stubborn' : 'run'] })
          const seen: number[] = []
          const over = new AbortController()
          const watch = (async () => {
            while (!over.signal.aborted) {
              const now = systemBootClock.now()
              if (guarded.runs()) seen.push(now)
              await pause(15)
            }
          })()
          const allowed = await play(guarded, steps, stubborn)
          over.abort()
          await watch
          const beyond = seen.filter(
            (at) => !allowed.some(({ from, by }) => from <= at && at <= by),
          )
          expect(beyond, `SEED=${seed} ${JSON.stringify(steps)}`).toEqual([])
        }),
      )
    })
  }

  it('a Meilisearch that is allowed runs within a second', async ({ start }) => {
    const guarded = start()
    for (const [permit, data] of [
      ['standby', 'ready -'],
      ['stop', 'ready -'],
      ['standby', 'closed 1'],
      ['standby', 'ready -'],
    ] as const) {
      guarded.role(permit)
      guarded.data(data)
      const since = systemBootClock.now()
      if (permit === 'standby' && data === 'ready -') {
        await guarded.running()
        expect(systemBootClock.now() - since).toBeLessThan(150)
      } else await guarded.stopped()
    }
  })
})
