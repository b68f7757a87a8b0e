import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { startRealApiServer } from '../kube/real-api-server.ts'
import { REPO } from './markdown.ts'

const assets = process.env['KUBEBUILDER_ASSETS']
const DIR = `${REPO}/deploy/examples`

interface Resource {
  kind: string
  spec: { template: { spec: { volumes: unknown[] } } }
}

const FOLDERS: Record<string, string> = {
  ConfigMap: '/api/v1/namespaces/NS/configmaps',
  Secret: '/api/v1/namespaces/NS/secrets',
  Service: '/api/v1/namespaces/NS/services',
  StatefulSet: '/apis/apps/v1/namespaces/NS/statefulsets',
  Pod: '/api/v1/namespaces/NS/pods',
}

const read = (file: string) =>
  parseAllDocuments(readFileSync(`${DIR}/${file}`, 'utf8')).map(
    (document) => document.toJS() as Resource,
  )

/** The pod that the StatefulSet's controller would make, its claim as a plain volume. */
function podOf({ spec: { template } }: Resource): object {
  const volumes = [...template.spec.volumes, { name: 'data', emptyDir: {} }]
  const metadata = { ...(template as { metadata?: object }).metadata, name: 'one' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec, volumes } }
}

test.skipIf(!assets)(
  'a real API server takes every example, to the letter, and its pods under Pod Security "restricted"',
  async () => {
    await using world = await startRealApiServer(assets ?? '')
    const { admin, namespace } = await world.newSite()
    const label = 'pod-security.kubernetes.io/enforce'
    await admin.call({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}`,
      body: { metadata: { labels: { [label]: 'restricted' } } },
    })
    for (const file of readdirSync(DIR).filter((name) => name.endsWith('.yaml'))) {
      const objects = read(file)
      const sets = objects.filter(({ kind }) => kind === 'StatefulSet')
      expect(sets).toHaveLength(1)
      for (const object of [...objects, ...sets.map(podOf)]) {
        const path = FOLDERS[(object as Resource).kind]?.replace('NS', namespace) ?? 'unknown kind'
        const query = { dryRun: 'All', fieldValidation: 'Strict' }
        await admin.call({ method: 'POST', path, query, body: object })
      }
    }
    admin.close()
  },
)
