import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { REPO } from '../docs/markdown.ts'
import { containerProblems } from './container-problems.ts'
import { containersOf, manifestsIn, podSpecsOf, programOf, type Container } from './manifest.ts'
import { missingVolumes } from './missing-volumes.ts'
import { extras, official, OFFICIAL_STEPS, renderOfficial, valuesOf } from './official-chart.ts'

const GUARDED = ['3-reader', '4-failover']

async function problems(containers: readonly Container[]): Promise<string[]> {
  const found: string[] = []
  for (const container of containers) found.push(...(await containerProblems(container, extras())))
  return found
}

describe.each(OFFICIAL_STEPS)('official chart, %s', (step) => {
  const { containers = [], initContainers = [], ...values } = valuesOf(step)

  test('the real programs take every command and variable', async () => {
    const ours = [...initContainers, ...containers]
    expect(ours.length).toBeGreaterThan(0)
    expect(ours.map(programOf)).not.toContain(undefined)
    expect(await problems(ours)).toEqual([])
  })

  test('the guard reads what it is told, and the probes of the chart are as good as off', () => {
    const guarded = GUARDED.includes(step)
    expect(values.command?.includes('/ha/guard.sh') ?? false).toBe(guarded)
    expect(values.livenessProbe).toEqual(guarded ? { periodSeconds: 86_400 } : undefined)
    expect(values.startupProbe).toEqual(guarded ? { failureThreshold: 86_400 } : undefined)
    const script = guarded ? readFileSync(join(REPO, 'docker/guard.sh'), 'utf8') : ''
    const told = Object.keys(values.environment).filter((name) => name.startsWith('MEILI_HA_'))
    expect(told.filter((name) => !script.includes(name))).toEqual([])
  })

  test.skipIf(!official)('it renders, with our containers where they belong', async () => {
    const manifests = renderOfficial(step)
    expect(missingVolumes(manifests)).toEqual([])
    const [pod] = podSpecsOf(manifests)
    const names = (list: readonly Container[] = []) => list.map(({ name }) => name)
    expect(names(pod?.initContainers)).toEqual(names(initContainers))
    expect(names(pod?.containers)).toEqual(['meilisearch', ...names(containers)])
    expect(await problems(containersOf(manifests).filter(programOf))).toEqual([])
    expect(pod?.containers[0]?.command).toEqual(values.command)
  })
})

test('the last step runs under the account that deploy/rbac makes, and it alone has a token', () => {
  const rbac = manifestsIn(readFileSync(join(REPO, 'deploy/rbac/lease-keeper.yaml'), 'utf8'))
  const account = rbac.find(({ kind }) => kind === 'ServiceAccount')?.metadata.name
  const { serviceAccount, initContainers = [] } = valuesOf('4-failover')
  expect(serviceAccount).toEqual({ create: false, name: account })
  const holders = initContainers.filter(({ volumeMounts = [] }) =>
    volumeMounts.some(({ mountPath }) => mountPath.startsWith('/var/run/secrets')),
  )
  expect(holders.map(({ name }) => name)).toEqual(['lease-keeper'])
})
