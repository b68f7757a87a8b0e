import { fileURLToPath } from 'node:url'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { snapshotsOf } from '@meili-ha/core/catalog/catalog-view.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { startProgram, type RunningProcess } from '../harness/process.ts'

export const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url))

export function cliOf(program: 'uploader' | 'fetcher' | 'lease-keeper'): string {
  return fileURLToPath(new URL(`../../packages/${program}/src/cli.ts`, import.meta.url))
}

/** `uploader ARGS` as its own process. */
export function uploader(
  args: readonly string[],
  env: Record<string, string | undefined> = {},
): RunningProcess {
  return startProgram(cliOf('uploader'), args, { env })
}

/** Runs it to its end. */
export async function runUploader(
  args: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using child = uploader(args, env)
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

/** The manifests in a store, newest first. */
export async function manifestsIn(store: Store): Promise<Manifest[]> {
  return snapshotsOf(await new CatalogReader(store).read()).map(({ manifest }) => manifest)
}

/** The log events of a program, in order. */
export function eventsOf(child: RunningProcess): { event: string; [field: string]: unknown }[] {
  return child
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { event: string })
}
