import { setTimeout as sleep } from 'node:timers/promises'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import { taskFailure } from '@meili-ha/core/meilisearch/task.ts'
import type { AskedSnapshot } from './ask-snapshot.ts'
import type { RunFlags } from './commands/run-command.ts'
import { FilePublisher } from './publish-file.ts'
import { Housekeeping } from './housekeeping.ts'
import { runSchedule } from './scheduler.ts'
import { snapshotContext } from './snapshot-context.ts'
import { UploadLoop } from './upload-loop.ts'
import { lineageClusterId, type Parts } from './wire.ts'

const HOUSEKEEPING_MS = 10 * 60_000

/** The whole life of `uploader run`: watch, ask, publish, prune, until `signal` aborts. */
export async function runUploader(
  parts: Parts,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<void> {
  const { log, paths, status, terms } = parts
  const asked: AskedSnapshot[] = []
  const publisher = new FilePublisher(parts, flags.member, () => lineageClusterId(paths))
  const housekeeping = new Housekeeping(parts, flags)
  await firstLook(parts, publisher, signal)

  const loop = new UploadLoop({
    paths,
    status,
    isStale: async () => false,
    publish: async (file, stop) => {
      await publisher.publish(file, snapshotContext(parts, file, asked, stop), stop)
      await housekeeping.tidy(stop)
    },
  })
  const schedule = {
    ...parts,
    everyMs: flags.every,
    maxDuty: flags.maxDuty,
    annotateCommand: flags.annotateCommand,
    mayPublish: async () => (await terms.current()) !== undefined,
    onAsked: (snapshot: AskedSnapshot) => asked.push(snapshot),
    onFinished: loop.look,
  }
  await Promise.all([
    loop.run(signal),
    flags.every > 0 && runSchedule(schedule, signal),
    tidyNowAndThen(),
  ])

  async function tidyNowAndThen(): Promise<void> {
    while (!signal.aborted) {
      await sayIfEnterprise(parts)
      await sleep(HOUSEKEEPING_MS, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await housekeeping.tidy(signal)
    }
  }

  /** MEILI_S3_* settings make every snapshot fail; nothing would ever appear to be published. */
  async function sayIfEnterprise({ meili }: Parts): Promise<void> {
    const [newest] = await meili.snapshotTasks({ limit: 1 }).catch(() => [])
    const failure = newest && taskFailure(newest)
    if (isError(failure, 'MEILI_ENTERPRISE')) {
      log.error({ event: 'snapshot.enterprise', hint: failure.hint }, messageOf(failure))
    }
  }
}

const LOOK_RETRY_MS = 5000

/**
 * Notes who has written to the store before this process begins, and ends it at once when the store
 * is another cluster's: that is a wrong setting, better seen now than with the first snapshot.
 */
async function firstLook(
  { log }: Parts,
  publisher: FilePublisher,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await publisher.look()
      return
    } catch (error) {
      if (isError(error, 'WRONG_CLUSTER')) throw error
      if (!isError(error, 'STORE_UNREACHABLE')) return
      log.warn({ event: 'store.unreachable', err: error }, messageOf(error))
      await sleep(LOOK_RETRY_MS, undefined, { signal }).catch(() => {})
    }
  }
}
