import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The device of a path, or of what is nearest above it: an unmounted one shows itself so. */
export async function fileSystemOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    return fileSystemOf(parent)
  }
}
