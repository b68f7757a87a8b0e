import { setTimeout as sleep } from 'node:timers/promises'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import { taskFailure } from '@meili-ha/core/meilisearch/task.ts'
import type { AskedSnapshot } from './ask-snapshot.ts'
import { Exclusive } from './exclusive.ts'
import { sayPermit } from './lease/say-permit.ts'
import { termLoop, type TermLoop } from './lease/term-loop.ts'
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
  const { log, paths, status, terms, ha } = parts
  const asked: AskedSnapshot[] = []
  const exclusive = new Exclusive()
  let upload = new AbortController()
  const term =
    ha &&
    (await termLoop(parts, {
      ha,
      member: flags.member,
      level: flags.archiveLevel,
      exclusive,
      stopUpload: () => upload.abort(),
    }))
  const life = term ? outlive(signal, term) : signal
  const publisher = new FilePublisher(parts, flags.member, () => lineageClusterId(paths), {
    seqs: term?.seqs,
  })
  const housekeeping = new Housekeeping(parts, flags, publisher)
  await firstLook(parts, publisher, signal)

  const loop = new UploadLoop({
    paths,
    status,
    publish: (file, stop) =>
      exclusive.run(async () => {
        // Asked only now: a claim that was waited for may have made it so.
        if (term?.isStale(file.identity)) return
        upload = new AbortController()
        const either = AbortSignal.any([stop, upload.signal])
        const context = snapshotContext(parts, file, asked, either)
        const began = performance.now()
        const manifest = await publisher.publish(file, context, either)
        await term?.published(manifest, performance.now() - began)
        await housekeeping.tidy()
      }),
  })
  const schedule = {
    ...parts,
    waiting: status.waiting,
    everyMs: flags.every,
    maxDuty: flags.maxDuty,
    annotateCommand: flags.annotateCommand,
    term: async () => {
      const epoch = await terms.current()
      return epoch === undefined ? undefined : `${epoch}, claimed ${term?.claimed()}`
    },
    onAsked: (snapshot: AskedSnapshot) => asked.push(snapshot),
    onFinished: loop.look,
  }
  await Promise.all([
    loop.run(life),
    term?.run(life),
    ha && sayPermit({ ha, terms, log }, life),
    flags.every > 0 && runSchedule(schedule, signal),
    tidyNowAndThen(),
  ])

  async function tidyNowAndThen(): Promise<void> {
    while (!signal.aborted) {
      await sayIfEnterprise(parts)
      await sleep(HOUSEKEEPING_MS, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await exclusive.run(() => housekeeping.tidy())
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

/** A signal that aborts when `signal` has and the hand-over that may follow is done. */
function outlive(signal: AbortSignal, term: TermLoop): AbortSignal {
  const life = new AbortController()
  const end = () => {
    term
      .handedOver()
      .catch(() => {})
      .finally(() => life.abort())
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return life.signal
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
