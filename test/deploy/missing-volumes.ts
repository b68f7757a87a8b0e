import { containersOf, type Manifest } from './manifest.ts'

/** What the containers of the StatefulSets mount and nobody declares. */
export function missingVolumes(manifests: readonly Manifest[]): string[] {
  const sets = manifests.filter(({ kind }) => kind === 'StatefulSet')
  return sets.flatMap((set) => {
    const { template, volumeClaimTemplates = [] } = set.spec
    const claims = volumeClaimTemplates.map(({ metadata }) => metadata.name)
    const there = [...(template.spec.volumes ?? []).map(({ name }) => name), ...claims]
    const mounts = containersOf([set]).flatMap(({ volumeMounts = [] }) => volumeMounts)
    return mounts.map(({ name }) => name).filter((name) => !there.includes(name))
  })
}
