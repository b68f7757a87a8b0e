import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { REPO } from '../docs/markdown.ts'
import { containerProblems } from './container-problems.ts'
import { CHART, helm, render, runTool } from './helm.ts'
import { containersOf, manifestsIn, podSpecsOf, programOf, type Manifest } from './manifest.ts'
import { missingVolumes } from './missing-volumes.ts'

const CASES = readdirSync(join(CHART, 'ci')).map((file) => basename(file, '.yaml'))
const values = (name: string) => ['-f', join(CHART, 'ci', `${name}.yaml`)]

function one(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((it) => it.kind === kind && (!name || it.metadata.name === name))
  expect(found, `${kind} ${name ?? ''}`).toHaveLength(1)
  return found[0] as Manifest
}

const names = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((it) => it.kind === kind).map(({ metadata }) => metadata.name)

describe.skipIf(!helm)('the chart', () => {
  test('helm lint --strict passes', () => {
    for (const name of CASES) {
      const said = runTool(helm, ['lint', '--strict', CHART, ...values(name)])
      expect(said).toContain('0 chart(s) failed')
    }
  })

  test.each(CASES)('%s: the real programs take every command and variable', async (name) => {
    const manifests = render(values(name))
    const containers = containersOf(manifests)
    expect(containers.map(programOf)).toContain('uploader')
    const problems: string[] = []
    for (const container of containers) {
      problems.push(...(await containerProblems(container, manifests)))
    }
    expect(problems).toEqual([])
  })

  test.each(CASES)('%s: every volume that is mounted is there', (name) => {
    expect(missingVolumes(render(values(name)))).toEqual([])
  })

  test('the steps add containers one after the other', () => {
    const of = (name: string) => containersOf(render(values(name))).map((it) => it.name)
    const testPod = ['write', 'read']
    expect(of('uploader')).toEqual(['uploader', 'meilisearch', ...testPod])
    expect(of('restore')).toEqual(['restore', 'uploader', 'meilisearch', ...testPod])
    const member = ['guard', 'restore', 'fetcher', 'uploader', 'lease-keeper', 'meilisearch']
    expect(of('replica')).toEqual([...member, ...testPod])
    expect(of('failover')).toEqual([...member, ...testPod])
    expect(of('store-lease')).toEqual([...member, 'read'])
  })

  test('the lease-keeper may do what deploy/rbac says, which the leadership tests run under', () => {
    const { rules } = one(render(values('all-on')), 'Role')
    const shipped = readFileSync(join(REPO, 'deploy/rbac/lease-keeper.yaml'), 'utf8')
    expect(rules).toEqual(
      one(manifestsIn(shipped.replace('[meilisearch]', '[catalogue]')), 'Role').rules,
    )
  })

  test('no container but the lease-keeper has a token of the API server', () => {
    for (const name of CASES) {
      const manifests = render(values(name))
      for (const pod of podSpecsOf(manifests)) expect(pod.automountServiceAccountToken).toBe(false)
      const labelled = !['uploader', 'restore', 'replica', 'store-lease'].includes(name)
      const holders = containersOf(manifests).filter(({ volumeMounts = [] }) =>
        volumeMounts.some(({ mountPath }) => mountPath.startsWith('/var/run/secrets')),
      )
      expect(holders.map((it) => it.name)).toEqual(labelled ? ['lease-keeper'] : [])
      expect(names(manifests, 'Role')).toHaveLength(labelled ? 1 : 0)
    }
  })

  test('the guard stops draining before the kubelet kills it, whatever the size', () => {
    for (const [size, grace] of Object.entries({ '500Mi': 70, '30Gi': 360, '1.5Ti': 20540 })) {
      const manifests = render([...values('minimal'), '--set', `persistence.size=${size}`])
      const [pod] = podSpecsOf(manifests)
      expect(pod?.terminationGracePeriodSeconds).toBe(grace)
      const env = pod?.containers[0]?.env ?? []
      const limit = env.find((it) => it.name === 'MEILI_HA_DRAIN_LIMIT')?.value
      expect(limit).toBe(String(grace - 5))
    }
  })

  test('routes send to -read what HAProxy sends to its readers', () => {
    const proxy = readFileSync(join(REPO, 'docker/haproxy.cfg'), 'utf8')
    const patterns = [...proxy.matchAll(/path_reg (\S+)/g)].map(([, pattern]) => pattern)
    expect(patterns).toHaveLength(2)
    const manifests = render(values('all-on'))
    for (const kind of ['HTTPRoute', 'IngressRoute']) {
      const text = JSON.stringify(one(manifests, kind).spec)
      for (const pattern of [...patterns, '/multi-search', '/health'])
        expect(text).toContain(pattern)
    }
  })

  test('the Services find pods by what the members say of themselves', () => {
    const selects = (name: string, role: string) =>
      one(render(values(name)), 'Service', `search-meili-ha-${role}`).spec.selector
    expect(selects('failover', 'write')).toMatchObject({ 'meili-ha/role': 'primary' })
    expect(selects('failover', 'read')).toMatchObject({ 'meili-ha/reads': 'yes' })
    const first = { 'statefulset.kubernetes.io/pod-name': 'search-meili-ha-0' }
    expect(selects('replica', 'write')).toMatchObject(first)
    expect(selects('replica', 'read')).not.toHaveProperty('meili-ha/reads')
    const { selector, template } = one(render(values('failover')), 'StatefulSet').spec
    expect(template.metadata.labels).toMatchObject({ 'meili-ha/cluster': 'search-meili-ha' })
    expect(template.metadata.labels).toMatchObject(selector?.['matchLabels'] as object)
  })
})
