import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { cliOf } from '../uploader/programs.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** What is measured as a process of its own: ours, and scripts of the bench on equal terms. */
const ENTRY_POINTS = {
  uploader: cliOf('uploader'),
  fetcher: cliOf('fetcher'),
  'lease-keeper': cliOf('lease-keeper'),
  'lib-storage-upload': here('lib-storage-upload.ts'),
  'upload-file': here('upload-file.ts'),
  'verify-file': here('verify-file.ts'),
}

/** Paths by name, each to be run by Node. */
export type Programs = Readonly<Record<keyof typeof ENTRY_POINTS, string>>

/** Bundles them into `directory`, a folder each, as the image holds them. */
export async function bundlePrograms(directory: string): Promise<Programs> {
  const bundled = Object.entries(ENTRY_POINTS).map(async ([name, entry]) => {
    await build({
      entryPoints: { [name]: entry },
      outdir: join(directory, name),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      define: { MEILI_HA_VERSION: '"bench"' },
      banner: {
        js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
      },
    })
    return [name, join(directory, name, `${name}.mjs`)] as const
  })
  return Object.fromEntries(await Promise.all(bundled)) as Programs
}
