import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleProgram, PROGRAMS, type Bundle, type Program } from '../../docker/bundle-program.ts'
import type { Container } from './contained.ts'

/** The bundles of all programs, below `directory`. */
export async function buildBundles(directory: string): Promise<Record<Program, Bundle>> {
  await mkdir(directory, { recursive: true })
  const made = PROGRAMS.map(
    async (program) => [program, await bundleProgram(program, join(directory, program))] as const,
  )
  return Object.fromEntries(await Promise.all(made)) as Record<Program, Bundle>
}

/** A container of a program's image, as docker/Dockerfile lays it out. */
export function imageOf(
  bundles: string,
  program: Program,
  { command, mounts = [], ...rest }: Container,
): Container {
  return {
    ...rest,
    command: ['/nodejs/bin/node', `/app/${program}.mjs`, ...command],
    mounts: [{ source: join(bundles, program), target: '/app', readOnly: true }, ...mounts],
  }
}
