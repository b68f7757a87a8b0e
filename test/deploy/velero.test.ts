import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { dryRun } from '../docs/dry-run.ts'
import { document } from '../docs/markdown.ts'
import { runFetcher } from '../fetcher/in-place.ts'
import { publish } from '../fetcher/publish.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { FIXTURES } from '../uploader/programs.ts'

interface Schedule {
  spec: {
    template: {
      excludedResources: string[]
      snapshotVolumes: boolean
      hooks: { resources: { pre: { exec: { container: string; command: string[] } }[] }[] }
    }
  }
}

const { template } = (parse(document('deploy/velero/schedule.yaml')) as Schedule).spec

test('the hook is a command line of the uploader’s image that the real program takes', async () => {
  const [exec] = template.hooks.resources.flatMap(({ pre }) => pre.map((one) => one.exec))
  const [node, bundle, ...args] = exec?.command ?? []
  expect([exec?.container, node, bundle]).toEqual([
    ...['uploader', '/nodejs/bin/node', '/app/uploader.mjs'],
  ])
  const { code, stderr, ran } = await dryRun('uploader', [...args, '--store', 's3://b/p'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(ran).toMatchObject({ name: 'snapshot', options: { ifPrimary: true, timeout: 1_740_000 } })
})

test('neither the Lease nor volumes are backed up', () => {
  expect(template.excludedResources).toContain('leases.coordination.k8s.io')
  expect(template.snapshotVolumes).toBe(false)
})

test('a restored volume of the primary’s is kept, though the bucket is newer; an empty one takes the newest', async () => {
  await using dir = await tempDir()
  const url = `file://${dir.path}/store`
  const store = openStore(url)
  const snapshot = join(FIXTURES, 'catalogue.snapshot')
  const data = join(dir.path, 'data')
  const live = join(data, 'data.ms')
  const restore = async () => {
    const args = ['restore', '--store', url, '--data-dir', data, '--member', 'm1']
    expect(await runFetcher(args)).toMatchObject({ code: 0 })
    return (await readLineage(live))?.snapshotId
  }
  await publish(store, snapshot, { seq: 1, writer: 'm1' })
  expect(await restore()).toBe('0000000000-0000000001')
  await publish(store, join(FIXTURES, 'backlog.snapshot'), { seq: 2, minute: 1, writer: 'm1' })
  expect(await restore()).toBe('0000000000-0000000001')
  await rm(live, { recursive: true })
  expect(await restore()).toBe('0000000000-0000000002')
})
