import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { builtins } from './builtins.ts'
import { formatNotices, packagesOf, type BundledPackage } from './third-party.ts'

export const PROGRAMS = ['uploader', 'fetcher', 'lease-keeper'] as const
export type Program = (typeof PROGRAMS)[number]

export interface Bundle {
  /** What Node is given. */
  entry: string
  /** All of its code. */
  bytes: number
  /** What is in it that isn't ours. */
  bundled: BundledPackage[]
}

const REPO = fileURLToPath(new URL('..', import.meta.url))

/**
 * Makes `<directory>/<program>.mjs`, the chunks that it loads when it needs them, and the licences of what is in it.
 * Chunks, because a program that never meets S3 or a kubeconfig should not hold their clients in memory:
 * 15 to 33 MiB less (measured).
 * @param directory emptied first
 */
export async function bundleProgram(program: Program, directory: string): Promise<Bundle> {
  const { version } = JSON.parse(await readFile(join(REPO, 'package.json'), 'utf8'))
  const guard = await readFile(join(REPO, 'docker/guard.sh'), 'utf8')
  await rm(directory, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: REPO,
    entryPoints: { [program]: `packages/${program}/src/cli.ts` },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    define: {
      MEILI_HA_VERSION: JSON.stringify(version),
      MEILI_HA_GUARD: JSON.stringify(guard),
    },
    plugins: [builtins],
  })
  const outputs = Object.values(metafile.outputs)
  const bundled = await packagesOf(outputs.flatMap(contentsOf), REPO)
  await writeFile(join(directory, 'THIRD-PARTY.txt'), formatNotices(program, bundled))
  const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0)
  return { entry: join(directory, `${program}.mjs`), bytes, bundled }
}

/** The files of which something is left in it. */
function contentsOf({ inputs }: Metafile['outputs'][string]): string[] {
  return Object.entries(inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path)
}
