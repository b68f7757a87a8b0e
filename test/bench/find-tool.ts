import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program on PATH, or the one that an environment variable names; undefined when there is none. */
export function findTool(name: string, variable?: string): string | undefined {
  const named = variable === undefined ? undefined : process.env[variable]
  if (named) return named
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, name))
  return candidates.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
