/**
 * A stand-in for Meilisearch: a process named `meilisearch` with the answers, the files on disk, the
 * import rules and the hazards of v1.50.0, as far as meili-ha can tell them apart. Data is JSON lines.
 */
import { enableCompileCache, flushCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Sets /proc/*/comm, by which signal mode finds it, and hides the command line as well.
process.title = 'meilisearch'

// Tests start it hundreds of times; compiled code halves the start.
enableCompileCache(join(tmpdir(), 'meili-ha-compile-cache'))
const { run } = await import('./run.ts')
await run()
// It will be killed, not ended, so nothing is written at the exit.
flushCompileCache()
