import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REPO } from '../docs/markdown.ts'
import type { KubeSite } from '../kube/kube-site.ts'
import type { KubeWorld } from '../kube/kube-worlds.ts'
import { startRealApiServer } from '../kube/real-api-server.ts'
import { refusals, restrict } from './admission.ts'
import { CHART, helm, kubectl, render } from './helm.ts'
import { build, KUSTOMIZE, withStep } from './kustomize.ts'
import { manifestsIn, podSpecsOf, type Manifest } from './manifest.ts'
import { extras, official, OFFICIAL_STEPS, renderOfficial } from './official-chart.ts'

const assets = process.env['KUBEBUILDER_ASSETS']
if (!assets) console.warn('SKIPPED: no kube-apiserver judges deploy/: set KUBEBUILDER_ASSETS')

const EXAMPLES = readdirSync(join(REPO, 'deploy/examples')).filter((name) => name.endsWith('.yaml'))
const CASES = helm ? readdirSync(join(CHART, 'ci')) : []

describe.skipIf(!assets)('a real API server, in a namespace that enforces "restricted"', () => {
  let world: KubeWorld
  let site: KubeSite
  beforeAll(async () => {
    world = await startRealApiServer(assets ?? '')
    site = await world.newSite()
    await restrict(site)
  })
  afterAll(async () => {
    site.admin.close()
    await world[Symbol.asyncDispose]()
  })
  const takes = async (manifests: readonly Manifest[]) => {
    expect(podSpecsOf(manifests)).not.toEqual([])
    expect(await refusals(site, manifests)).toEqual([])
  }

  test.each(EXAMPLES)('takes the example %s to the letter', async (file) => {
    await takes(manifestsIn(readFileSync(join(REPO, 'deploy/examples', file), 'utf8')))
  })

  test.each(CASES)('takes what the chart makes of %s to the letter', async (file) => {
    await takes(render(['-f', join(CHART, 'ci', file)]))
  })

  test.each(kubectl ? ['base', 'example'] : [])(
    'takes kustomize/%s to the letter',
    async (root) => {
      await takes(build(join(KUSTOMIZE, root)))
    },
  )

  test.each(kubectl ? ['uploader', 'restore', 'replica', 'failover'] : [])(
    'takes a plain StatefulSet with the component %s to the letter',
    async (step) => {
      await takes(await withStep(step))
    },
  )

  test.each(official ? OFFICIAL_STEPS : [])(
    'takes what the official chart makes of %s to the letter',
    async (step) => {
      await takes([...renderOfficial(step), ...extras()])
    },
  )

  test('refuses what is not of a field, and what "restricted" does not allow', async () => {
    const [set] = manifestsIn(
      `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: bad}, spec: {serviceName: bad, typo: 1,
        selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}`,
    )
    const found = await refusals(site, [set as Manifest])
    expect(found.join('\n')).toMatch(/unknown field "spec\.typo"[\s\S]*violates PodSecurity/)
  })
})
