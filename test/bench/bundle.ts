import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { builtins } from '../../docker/builtins.ts'
import { bundleProgram, PROGRAMS, type Program } from '../../docker/bundle-program.ts'

/** Peers and parts in TypeScript, bundled too: Node's own loader costs more than what they do. */
const SCRIPTS = ['lib-storage-upload', 'step', 'upload-file', 'verify-file'] as const

type Script = (typeof SCRIPTS)[number]

/** Paths by name, each to be run by Node. */
export type Programs = Readonly<Record<Program | Script, string>>

/** The programs as an image holds them, and the scripts on equal terms, below `directory`. */
export async function bundlePrograms(directory: string): Promise<Programs> {
  const programs = PROGRAMS.map(async (name) => {
    const { entry } = await bundleProgram(name, join(directory, name))
    return [name, entry] as const
  })
  const scripts = SCRIPTS.map((name) => bundleScript(name, join(directory, name)))
  return Object.fromEntries(await Promise.all([...programs, ...scripts])) as Programs
}

async function bundleScript(name: Script, outdir: string): Promise<readonly [Script, string]> {
  await build({
    entryPoints: { [name]: fileURLToPath(new URL(`${name}.ts`, import.meta.url)) },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'warning',
    plugins: [builtins],
  })
  return [name, join(outdir, `${name}.mjs`)]
}
