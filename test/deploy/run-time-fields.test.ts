import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import {
  MARK_ANNOTATION,
  READS_LABEL,
  ROLE_LABEL,
  STATEMENT_ANNOTATION,
} from '@meili-ha/lease-keeper/kubernetes/pod.ts'
import { document, REPO } from '../docs/markdown.ts'

/** What lease-keeper sets on pods while it runs. */
const OURS = [ROLE_LABEL, READS_LABEL, MARK_ANNOTATION, STATEMENT_ANNOTATION]

interface Manifest {
  kind?: string
  spec?: { template?: { metadata?: Record<'labels' | 'annotations', Record<string, string>> } }
}

const files = readdirSync(join(REPO, 'deploy'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(yaml|tpl)$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(REPO, 'deploy', name), 'utf8') }))

/** Those that are YAML as they stand; a chart's templates are not. */
const manifests = files
  .filter(({ text }) => !text.includes('{{-'))
  .flatMap(({ name, text }) =>
    parseAllDocuments(text).map((one) => ({ name, manifest: one.toJS() as Manifest | null })),
  )

test('nothing under deploy ships a Lease or a key: a sync would empty the one and change the other', () => {
  const shipped = files.flatMap(({ name, text }) =>
    [...text.matchAll(/^kind: (Lease)\s*$|(randAlphaNum|genPrivateKey)/gm)].map(() => name),
  )
  expect(shipped).toEqual([])
})

test('no pod template has what the lease-keeper sets on the pods', () => {
  const templates = manifests.filter(({ manifest }) => manifest?.spec?.template)
  expect(templates.length).toBeGreaterThan(0)
  for (const { name, manifest } of templates) {
    const { labels, annotations } = manifest?.spec?.template?.metadata ?? {}
    const set = Object.keys({ ...labels, ...annotations })
    expect([name, ...set.filter((key) => OURS.includes(key))]).toEqual([name])
  }
})

test('the page on Argo CD names each of them', () => {
  const page = document('deploy/argocd/README.md')
  expect(OURS.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
