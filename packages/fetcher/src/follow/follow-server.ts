import { parseDuration } from '@meili-ha/core/cli/units.ts'
import { messageOf } from '@meili-ha/core/errors.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import type { Answer } from '@meili-ha/core/telemetry/server.ts'
import type { Follower } from './follower.ts'

/**
 * What `fetcher follow` answers: `/healthz` while its loop runs, `/readyz[?lag=60s]` while readers
 * may be sent to this Meilisearch, `/status` what sync.json says.
 */
export function followRoutes(
  follower: Follower,
  meili: Pick<MeilisearchClient, 'health'>,
): Record<string, (url: URL) => Promise<Answer>> {
  return {
    '/healthz': async () => ({ status: 200, body: 'ok' }),
    '/readyz': async (url) => {
      const why = whyNotRead(follower, url) ?? (await whyUnhealthy(meili))
      return why === null ? { status: 200, body: 'ok' } : { status: 503, body: why }
    },
    '/status': async () => ({
      status: 200,
      body: {
        program: 'fetcher',
        outOfRouting: follower.outOfRouting,
        ...follower.state,
        ...follower.refusal,
      },
    }),
  }
}

function whyNotRead({ state, outOfRouting, lagSeconds }: Follower, url: URL): string | null {
  if (!state?.decided) return state?.reason ?? 'it has only just started'
  if (outOfRouting) return 'a newer snapshot is being swapped in'
  const most = url.searchParams.get('lag')
  if (most === null) return null
  let mostMs: number
  try {
    mostMs = parseDuration(most)
  } catch (error) {
    return `lag: ${messageOf(error)}`
  }
  if (lagSeconds === null) return 'its lag is not known'
  return lagSeconds * 1000 > mostMs ? `it is ${Math.round(lagSeconds)} s behind` : null
}

async function whyUnhealthy(meili: Pick<MeilisearchClient, 'health'>): Promise<string | null> {
  try {
    await meili.health()
    return null
  } catch (error) {
    return messageOf(error)
  }
}
