import { execFile } from 'node:child_process'
import type { Logger } from 'pino'
import { messageOf } from '@meili-ha/core/errors.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { syncSchema } from '@meili-ha/core/ha/sync.ts'
import type { ReportFields } from '../action.ts'

const TIMEOUT_MS = 30_000
const ATTEMPTS = 3

/**
 * Tells `--on-promote` of a promotion: a URL by POST, anything else as a shell command with the same
 * JSON on its input. Applications that can replay know from it from where. Nothing waits for it.
 */
export function promotionTold(
  target: string | undefined,
  ha: HaDir,
  log: Logger,
): (fields: ReportFields) => void {
  if (!target) return () => {}
  const tell = /^https?:/.test(target) ? post : run
  return (fields) => {
    messageFor(fields, ha)
      .then((message) => repeatedly(() => tell(target, message)))
      .then(() => log.info({ event: 'on_promote.told', epoch: fields['epoch'] }, 'hook told'))
      .catch((error: unknown) => {
        log.error({ event: 'on_promote.failed', why: messageOf(error) }, '--on-promote failed')
      })
  }
}

/** {epoch, snapshot, annotations, lastTaskUid, lossMs, durationMs, snapshotStartedAt, promotedAt} */
async function messageFor(fields: ReportFields, ha: HaDir): Promise<string> {
  const sync = await ha.readJson('sync.json', syncSchema)
  return JSON.stringify({
    ...fields,
    annotations: sync?.holds?.annotations ?? null,
    snapshotStartedAt: sync?.holds?.snapshotStartedAt ?? null,
    promotedAt: new Date().toISOString(),
  })
}

async function repeatedly(tell: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tell()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

async function post(url: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const { ok, status } = await fetch(url, { method: 'POST', headers, body, signal })
  // The URL itself may hold a token.
  if (!ok) throw new Error(`it answered ${status}`)
}

function run(command: string, input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile('/bin/sh', ['-c', command], { timeout: TIMEOUT_MS }, (error) => {
      if (error) reject(new Error(`it ended with code ${error.code}`))
      else resolve()
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
