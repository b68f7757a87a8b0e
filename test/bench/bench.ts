import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { bundlePrograms, type Programs } from './bundle.ts'

export interface BenchOptions {
  /** MiB; what a scenario needs beyond them follows from the largest. */
  sizes: readonly number[]
  /** MiB of documents, where a Meilisearch is filled. */
  dataSizes: readonly number[]
  runs: number
  /** Tiny sizes and short waits: that the bench works, not what comes out. */
  quick: boolean
  say: (text: string) => void
}

/** What every scenario is given. */
export interface Bench extends BenchOptions, AsyncDisposable {
  /** Of ours, bundled as the image runs them: Node's own TypeScript loader costs more than they do. */
  programs: Programs
  /** An empty directory of this name, which goes with the bench. */
  directory(name: string): Promise<string>
  /** A snapshot of about so many MiB that don't compress; made once. */
  snapshot(sizeMiB: number): Promise<string>
}

export const MIB = 1024 * 1024

export async function startBench(options: BenchOptions): Promise<Bench> {
  const root = await tempDir()
  const programs = await bundlePrograms(join(root.path, 'programs'))
  const snapshots = new Map<number, Promise<string>>()
  const generate = async (sizeMiB: number) => {
    const path = join(root.path, `${sizeMiB}.snapshot`)
    options.say(`generating ${sizeMiB} MiB`)
    await bigSnapshot(path, sizeMiB * MIB)
    return path
  }
  return {
    ...options,
    programs,
    snapshot: (sizeMiB) => {
      const path = snapshots.get(sizeMiB) ?? generate(sizeMiB)
      snapshots.set(sizeMiB, path)
      return path
    },
    directory: async (name) => {
      const path = join(root.path, name)
      await mkdir(path)
      return path
    },
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
  }
}
