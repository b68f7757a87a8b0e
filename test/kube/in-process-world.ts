import { randomUUID } from 'node:crypto'
import { startApiServer } from './api-server.ts'
import { accessOf, clientOf, keeperManifest } from './kube-site.ts'
import type { KubeWorld } from './kube-worlds.ts'

/** The API server inside the test as a world of its own. */
export async function startInProcessWorld(): Promise<KubeWorld> {
  const inProcess = await startApiServer()
  inProcess.admit('admin', { name: 'admin', rules: 'all' })
  return {
    newSite: () => {
      const where = { server: inProcess.url, namespace: `test-${randomUUID()}`, ca: undefined }
      const admin = clientOf(accessOf(where, 'admin'))
      return Promise.resolve({
        ...where,
        admin,
        inProcess,
        keeperToken: async (cluster) => {
          const token = randomUUID()
          const manifest = await keeperManifest(cluster, where.namespace)
          const rules = manifest.flatMap((object) => object.rules ?? [])
          inProcess.admit(token, { name: 'keeper', rules })
          return token
        },
      })
    },
    [Symbol.asyncDispose]: () => inProcess[Symbol.asyncDispose](),
  }
}
