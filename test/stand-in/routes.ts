import { existsSync } from 'node:fs'
import { enqueued, type Api } from './api.ts'
import { documentRoutes } from './document-routes.ts'
import type { Route } from './http.ts'
import { indexRoutes } from './index-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { taskRoutes } from './task-routes.ts'

/** Everything that the stand-in answers. */
export function allRoutes(api: Api): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/health$/,
      action: null,
      handle: () =>
        api.knobs.hangHealthWhile !== undefined && existsSync(api.knobs.hangHealthWhile)
          ? new Promise(() => {})
          : { status: 200, body: { status: 'available' } },
    },
    {
      method: 'GET',
      path: /^\/version$/,
      action: 'version',
      handle: () => ({
        status: 200,
        body: { commitSha: 'stand-in', commitDate: 'unknown', pkgVersion: api.knobs.version },
      }),
    },
    {
      method: 'POST',
      path: /^\/snapshots$/,
      action: 'snapshots.create',
      handle: () =>
        enqueued(api.scheduler.register({ type: 'snapshotCreation', work: { kind: 'snapshot' } })),
    },
    ...taskRoutes(api),
    ...indexRoutes(api),
    ...documentRoutes(api),
    ...keyRoutes(api),
  ]
}
