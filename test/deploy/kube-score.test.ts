import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findTool } from '../bench/find-tool.ts'
import { CHART, helm, render } from './helm.ts'
import { textOf } from './manifest.ts'

const kubeScore = findTool('kube-score')
if (!kubeScore)
  console.warn('SKIPPED: no kube-score (go install github.com/zegl/kube-score/cmd/kube-score)')

/** What kube-score asks for and the chart doesn't do, each with why. */
const EXCEPTIONS: Record<string, string> = {
  'container-image-pull-policy':
    'tags are versions and never move; a pull must not keep a member down',
  'container-resources':
    'memory is limited; a CPU limit would slow searches, and a beat or a renewal that comes late stops a primary',
  'container-security-context-user-group-id':
    'uid 1000 is what the images and the data belong to; `podSecurityContext` changes it',
  'container-ephemeral-storage-request-and-limit':
    'root is read-only, and /tmp is a volume with a limit of its own',
  'pod-probes-identical':
    'both ask the guard; what Meilisearch itself is worth the lease-keeper’s readiness says',
  'pod-networkpolicy':
    'ingress is limited; egress to store, API server, webhooks and embedders is the cluster’s to know. The test pod lasts for seconds',
  'service-targets-pod':
    'the role is a label that lease-keeper sets at run time, or the controller (the first pod)',
}

interface Scored {
  type_meta: { kind: string }
  checks: {
    check: { id: string }
    skipped: boolean
    grade: number
    comments: { path: string; summary: string }[] | null
  }[]
}

/** Grade 10 is "OK". */
function complaints(file: string): { id: string; says: string }[] {
  const input = textOf(render(['-f', join(CHART, 'ci', file)]))
  const args = ['score', '--kubernetes-version', 'v1.34', '--output-format', 'json', '-']
  let output: string
  try {
    output = execFileSync(kubeScore ?? '', args, { input, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    // It exits 1 when anything is critical.
    output = (error as { stdout: string }).stdout
    if (output === '') throw error
  }
  return (JSON.parse(output) as Scored[]).flatMap(({ type_meta: { kind }, checks }) =>
    checks
      .filter(({ skipped, grade }) => !skipped && grade < 10)
      .map(({ check, comments }) => ({
        id: check.id,
        says: `${kind}: ${(comments ?? []).map(({ path, summary }) => `${path} ${summary}`).join('; ')}`,
      })),
  )
}

describe.skipIf(!kubeScore || !helm)('kube-score', () => {
  const found = kubeScore && helm ? readdirSync(join(CHART, 'ci')).flatMap(complaints) : []

  test('finds nothing beyond the exceptions that are explained', () => {
    expect(found.filter(({ id }) => !(id in EXCEPTIONS))).toEqual([])
  })

  test('every exception is one that it still asks for', () => {
    const ids = new Set(found.map(({ id }) => id))
    expect([...ids].toSorted()).toEqual(Object.keys(EXCEPTIONS).toSorted())
  })
})
