import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
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
    for (const [size, grace] of Object.entries({
      '500Mi': 70,
      '30720Mi': 360,
      '30Gi': 360,
      '1.5Ti': 20540,
    })) {
      const manifests = render([...values('minimal'), '--set', `persistence.size=${size}`])
      const [pod] = podSpecsOf(manifests)
      expect(pod?.terminationGracePeriodSeconds).toBe(grace)
      const env = pod?.containers[0]?.env ?? []
      const limit = env.find((it) => it.name === 'MEILI_HA_DRAIN_LIMIT')?.value
      expect(limit).toBe(String(grace - 5))
    }
  })

  test.each([
    ['fullnameOverride=Search_1', 'fullnameOverride'],
    ['meilisearch.env.MEILI_DB_PATH=/data', 'MEILI_DB_PATH'],
    ['podLabels.meili-ha/role=primary', 'meili-ha/role'],
    ['uploader.env.MEILI_HA_EVERY=1m', 'the container uploader gets MEILI_HA_EVERY twice'],
    ['store.env.MEILI_HA_STORE=s3://other', 'MEILI_HA_STORE twice'],
    ['store.endpoint=minio:9000', '/store/endpoint'],
    ['serviceAccount.create=false', 'serviceAccount.name'],
    ['service.port=70000', '/service/port'],
  ])('%s is refused at once, and why is said', (set, why) => {
    expect(() => render([...values('minimal'), '--set', set])).toThrow(why)
  })

  test.each(['1st', 'my.release'])('a release called %s, which no Service can be', (name) => {
    expect(() => render(values('minimal'), CHART, name)).toThrow(`${name}-meili-ha`)
  })

  test('names and numbers stay as they were written', () => {
    const odd = join(mkdtempSync(join(tmpdir(), 'meili-ha-values-')), 'values.yaml')
    writeFileSync(odd, 'meilisearch: { env: { A: 2147483648, B: 0.5, C: true } }')
    const named = ['--set', 'fullnameOverride=search', '--set-string', 'cluster=1e3']
    const manifests = render([...values('minimal'), '-f', odd, ...named], CHART, '123')
    rmSync(dirname(odd), { recursive: true })
    const { metadata } = one(manifests, 'StatefulSet').spec.template
    expect(metadata.labels).toMatchObject({
      'app.kubernetes.io/instance': '123',
      'meili-ha/cluster': '1e3',
    })
    const env = podSpecsOf(manifests)[0]?.containers[0]?.env ?? []
    const of = (name: string) => env.find((it) => it.name === name)?.value
    expect([of('A'), of('B'), of('C')]).toEqual(['2147483648', '0.5', 'true'])
  })

  test('`helm test` gets through the NetworkPolicy that lets in a few clients', () => {
    const manifests = render(values('all-on'))
    const { labels } = one(manifests, 'Pod').metadata
    const policy = JSON.stringify(one(manifests, 'NetworkPolicy').spec)
    const peer = {
      'app.kubernetes.io/name': labels?.['app.kubernetes.io/name'],
      'app.kubernetes.io/instance': labels?.['app.kubernetes.io/instance'],
    }
    expect(policy).toContain(JSON.stringify({ podSelector: { matchLabels: peer } }))
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
