import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { REPO } from '../docs/markdown.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { kubectl, render, runTool } from './helm.ts'
import { manifestsIn, textOf, type Manifest } from './manifest.ts'

export const KUSTOMIZE = join(REPO, 'deploy/kustomize')
export const BASE = join(KUSTOMIZE, 'base/meili-ha.yaml')

/** What base/meili-ha.yaml must hold: the chart with values.yaml, less what only Helm wants. */
export function renderBase(): Manifest[] {
  const values = join(KUSTOMIZE, 'values.yaml')
  return render(['-f', values, '--skip-tests'], undefined, 'meili-ha').map((manifest) => {
    const labels = Object.entries(manifest.metadata.labels ?? {}).filter(
      ([name]) => !/^helm\.sh|managed-by$/.test(name),
    )
    return { ...manifest, metadata: { ...manifest.metadata, labels: Object.fromEntries(labels) } }
  })
}

export function baseText(): string {
  const head = '# Rendered from deploy/helm by `pnpm render`; a test keeps the two equal.\n'
  return head + textOf(renderBase())
}

/** What `kubectl kustomize` makes of a directory. */
export function build(directory: string): Manifest[] {
  return manifestsIn(runTool(kubectl, ['kustomize', directory]))
}

/** The plain StatefulSet of deploy/kustomize/example with one step added. */
export async function withStep(step: string): Promise<Manifest[]> {
  await using directory = await tempDir()
  // A root of its own, as somebody's own repository is.
  const own = join(directory.path, 'own')
  await mkdir(own)
  const plain = await readFile(join(KUSTOMIZE, 'example/plain.yaml'))
  await writeFile(join(own, 'plain.yaml'), plain)
  const component = relative(own, join(KUSTOMIZE, 'components', step))
  await writeFile(
    join(own, 'kustomization.yaml'),
    `resources: [plain.yaml]\ncomponents: [${component}]\n`,
  )
  return build(own)
}
