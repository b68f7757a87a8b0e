import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { containerProblems } from './container-problems.ts'
import { helm, kubectl } from './helm.ts'
import { BASE, build, KUSTOMIZE, renderBase, withStep } from './kustomize.ts'
import { containersOf, manifestsIn, podSpecsOf, type Manifest } from './manifest.ts'
import { missingVolumes } from './missing-volumes.ts'

test.skipIf(!helm)('the base is what the chart renders (else: pnpm render)', async () => {
  expect(manifestsIn(await readFile(BASE, 'utf8'))).toEqual(renderBase())
})

/** Of the Secret that people make: the keys that deploy/kustomize/README.md names. */
const SECRET = manifestsIn(`{apiVersion: v1, kind: Secret, metadata: {name: meili-ha}, stringData:
  {MEILI_HA_API_KEY: a, AWS_ACCESS_KEY_ID: b, AWS_SECRET_ACCESS_KEY: c}}`)

async function check(manifests: Manifest[]): Promise<void> {
  const all = [...manifests, ...SECRET]
  expect(missingVolumes(manifests)).toEqual([])
  for (const container of containersOf(manifests)) {
    expect(await containerProblems(container, all)).toEqual([])
  }
}

const MEMBER = ['lease-keeper', 'guard', 'fetcher', 'uploader']
const STEPS: Record<string, string[]> = {
  uploader: ['uploader'],
  restore: ['restore', 'uploader'],
  replica: MEMBER,
  failover: MEMBER,
}

describe.skipIf(!kubectl)('kubectl kustomize', () => {
  test('the base builds as it is', async () => {
    const manifests = build(join(KUSTOMIZE, 'base'))
    expect(manifests).toHaveLength(manifestsIn(await readFile(BASE, 'utf8')).length)
    await check(manifests)
  })

  test.each(Object.entries(STEPS))(
    '%s adds its containers to a plain StatefulSet, and leaves the rest as it was',
    async (step, added) => {
      const manifests = await withStep(step)
      await check(manifests)
      const [pod] = podSpecsOf(manifests)
      expect(pod?.initContainers?.map(({ name }) => name)).toEqual(added)
      expect(pod?.containers.map(({ name }) => name)).toEqual(['meilisearch'])
      const [meilisearch] = pod?.containers ?? []
      expect(meilisearch?.env?.map(({ name }) => name)).toContain('MEILI_MASTER_KEY')
      const guarded = added === MEMBER
      expect(meilisearch?.command?.includes('/ha/guard.sh') ?? false).toBe(guarded)
      for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        expect(meilisearch?.[probe]?.httpGet === undefined, probe).toBe(guarded)
      }
    },
  )

  test('the example builds: an overlay says the store, the number of pods and the namespace', async () => {
    const manifests = build(join(KUSTOMIZE, 'example'))
    await check(manifests)
    const settings = manifests.find(({ kind }) => kind === 'ConfigMap')
    expect(settings?.data?.['MEILI_HA_STORE']).toBe('s3://my-bucket/my-prefix')
    expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(
      new Set(['search']),
    )
  })

  test('only the lease-keeper of the last step has a token', async () => {
    for (const step of Object.keys(STEPS)) {
      const holders = containersOf(await withStep(step)).filter(({ volumeMounts = [] }) =>
        volumeMounts.some(({ mountPath }) => mountPath.startsWith('/var/run/secrets')),
      )
      expect(holders.map(({ name }) => name)).toEqual(step === 'failover' ? ['lease-keeper'] : [])
    }
  })
})
