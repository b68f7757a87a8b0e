import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { fetcherCommand } from '@meili-ha/fetcher/commands/fetcher-command.ts'
import { uploaderCommand } from '@meili-ha/uploader/commands/uploader-command.ts'
import { runInPlace } from '../harness/in-place.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { manifestsIn } from '../uploader/programs.ts'

/** A store in a directory, as the programs fill it, with its files at hand. */
export async function storeScene() {
  const dir = await tempDir()
  const at = (...names: string[]) => join(dir.path, ...names)
  const url = `file://${at('store')}`
  const common = ['--store', url, '--log-level', 'warn', '--log-format', 'json']
  const run = (command: string, ...more: string[]) =>
    runInPlace(fetcherCommand, [command, ...more, ...common])
  const manifestPath = (id: string) => at('store', 'snapshots', `${id}.json`)
  return {
    ...{ at, run, manifestPath, store: openStore(url) },
    live: at('data', 'data.ms'),
    publish: (file: string) =>
      runInPlace(uploaderCommand, ['publish', file, ...common, '--member', 'm1']),
    restore: () => run('restore', '--data-dir', at('data'), '--timeout', '0'),
    manifests: () => manifestsIn(openStore(url)),
    tarballPath: ({ object }: Manifest) => at('store', object?.key ?? ''),
    /** Changes a manifest's JSON where it lies. */
    edit: async (id: string, change: (manifest: Manifest) => unknown): Promise<void> => {
      const manifest = JSON.parse(await readFile(manifestPath(id), 'utf8')) as Manifest
      await writeFile(manifestPath(id), JSON.stringify(change(manifest)))
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

export type StoreScene = Awaited<ReturnType<typeof storeScene>>
