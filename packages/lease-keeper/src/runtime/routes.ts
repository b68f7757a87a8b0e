import { parseDuration } from '@meili-ha/core/cli/units.ts'
import { lagNow } from '@meili-ha/core/ha/lag-now.ts'
import type { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Answer } from '@meili-ha/core/telemetry/server.ts'
import { servesAsPrimary, servesAsStandby } from '../serves.ts'
import type { Keeper } from './keeper.ts'
import { statementOf } from './statement-of.ts'

type Route = (keeper: Keeper, url: URL) => Answer

/**
 * What routers and people ask, with Patroni's meanings: 200 = send me those requests, 503 = don't.
 * `/replica?lag=60s` wants a standby that is at most so far behind.
 * @param keeper undefined while the lease is being opened, which lasts as long as its store is away:
 * the program is well then, and sends nobody anywhere
 * @param away why that lasts; undefined = it has only just begun
 */
export function keeperRoutes(
  keeper: () => Keeper | undefined,
  away: () => MeiliHaError | undefined,
): Record<string, (url: URL) => Answer> {
  const opened = (route: Route) => (url: URL) => {
    const known = keeper()
    return known ? route(known, url) : no(away()?.message ?? 'it has only just started')
  }
  return {
    '/primary': opened((known) => (isPrimary(known) ? yes : no('not the primary'))),
    '/replica': opened(replica),
    '/standby': opened(replica),
    '/read-only': opened((known, url) => (isPrimary(known) ? yes : replica(known, url))),
    '/health': opened(({ state }) =>
      state.health?.healthy && state.beat?.state === 'running'
        ? yes
        : no('Meilisearch does not run or is not healthy'),
    ),
    // Of the keeper itself: up, never "lease held". A waiting member is healthy.
    '/healthz': () => yes,
    // Its data is whole, or nobody has published any yet: a roll-out may go on.
    '/readyz': opened(({ state: { phase, sync } }) => {
      const waits = sync !== null && !sync.decided && sync.waitsForFirst === true
      return phase.name !== 'starting' || waits
        ? yes
        : no(sync?.reason ?? 'it has only just started')
    }),
    '/status': () => {
      const known = keeper()
      return known
        ? { status: 200, body: { program: 'lease-keeper', ...statementOf(known) } }
        : { status: 503, body: waiting(away()) }
    },
  }
}

const yes: Answer = { status: 200, body: 'ok' }
const no = (why: string): Answer => ({ status: 503, body: why })

function waiting(away: MeiliHaError | undefined) {
  const failed = away && { code: away.code, message: away.message, hint: away.hint }
  return { program: 'lease-keeper', phase: 'starting', failed: failed ?? null }
}

function isPrimary({ settings, state, now }: Keeper): boolean {
  return servesAsPrimary(settings, state, now.boot)
}

function replica(keeper: Keeper, url: URL): Answer {
  return servesAsStandby(keeper.state) ? lagAnswer(keeper, url) : no('no standby that serves')
}

function lagAnswer(keeper: Keeper, url: URL): Answer {
  const most = url.searchParams.get('lag')
  if (most === null) return yes
  const { sync } = keeper.state
  const lagSeconds = sync && lagNow(sync, keeper.now.boot)
  if (lagSeconds === null) return no('its lag is not known')
  try {
    return lagSeconds * 1000 <= parseDuration(most)
      ? yes
      : no(`it is ${Math.round(lagSeconds)} s behind`)
  } catch {
    return { status: 400, body: 'lag: expected a duration such as 60s' }
  }
}
