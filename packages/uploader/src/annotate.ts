import { execFile } from 'node:child_process'
import { MeiliHaError } from '@meili-ha/core/errors.ts'

/** A queue's offset fits; somebody's log doesn't. */
const MAX_BYTES = 64 * 1024
const TIMEOUT_MS = 30_000

/**
 * Runs `--annotate-command` through the shell, just before a snapshot is asked for, and returns what
 * it printed, trimmed. What it says is a lower bound: the snapshot holds at least what came before.
 * @throws ANNOTATE_FAILED when it fails: a snapshot without the offset is no snapshot for those who replay
 */
export function runAnnotateCommand(command: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      '/bin/sh',
      ['-c', command],
      { maxBuffer: MAX_BYTES, timeout: TIMEOUT_MS, signal },
      (error, stdout) => {
        if (!error) return resolve(stdout.trim())
        // Its output may hold a secret: name only how it ended.
        const how = error.killed ? `no end after ${TIMEOUT_MS / 1000} s` : `code ${error.code}`
        reject(new MeiliHaError('ANNOTATE_FAILED', `--annotate-command failed (${how})`))
      },
    )
  })
}
