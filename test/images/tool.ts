import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where .ci/run keeps what it installed by itself. */
const CACHED = join(homedir(), '.cache/meili-ha/bin')

/** Runs a tool that may be missing; undefined, said aloud, when it is. */
export function run(
  tool: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): { code: number | null; output: string } | undefined {
  const { cwd, env } = options
  const path = `${process.env['PATH']}:${CACHED}`
  const { error, status, stdout, stderr } = spawnSync(tool, args, {
    cwd,
    env: { ...process.env, ...env, PATH: path },
    encoding: 'utf8',
  })
  if (error && 'code' in error && error.code === 'ENOENT') {
    console.warn(`SKIPPED: ${tool} is not installed`)
    return undefined
  }
  if (error) throw error
  return { code: status, output: stdout + stderr }
}
