import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { snapshotsOf } from '@meili-ha/core/catalog/catalog-view.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { formatUtc, parseKey } from '@meili-ha/core/catalog/names.ts'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'
import { askSnapshot, waitForTask, type AskedSnapshot } from '../ask-snapshot.ts'
import { FilePublisher } from '../publish-file.ts'
import { runnerIsAlive } from '../runner.ts'
import { snapshotContext } from '../snapshot-context.ts'
import { openSnapshot } from '../snapshot-file.ts'
import { snapshotPath } from '../upload-loop.ts'
import { lineageClusterId, wire, type Parts } from '../wire.ts'
import { UPLOADER_PORT, uploaderFlags, type UploaderFlags } from './uploader-flags.ts'

type SnapshotFlags = UploaderFlags & { ifPrimary?: boolean; timeout: number }

/** `uploader snapshot` */
export function snapshotCommand(host: Host): Command {
  const common = commonFlags(host)
  const own = uploaderFlags(host)
  const command = describe(
    new Command('snapshot'),
    'Ask Meilisearch for a snapshot now and wait until it is published.',
    'uploader snapshot --store s3://backups/search --api-key-file /run/secrets/key',
  )
  return addStoreFlags(command, common)
    .addOption(common.dataDir())
    .addOption(common.meiliUrl())
    .addOption(common.apiKeyFile())
    .addOption(own.annotateCommand())
    .addOption(common.member())
    .addOption(common.lease())
    .addOption(common.haDir())
    .addOption(common.listen(UPLOADER_PORT))
    .addOption(own.ifPrimary())
    .addOption(own.snapshotTimeout())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (flags: SnapshotFlags) => {
      const parts = await wire(host, flags)
      try {
        if (!(await mayAsk(parts, flags))) return
        const manifest = await within(flags.timeout, host.signal, (signal) =>
          snapshotNow(parts, flags, signal),
        )
        host.stdout.write(`${manifest.id}\n`)
      } finally {
        parts.close()
      }
    })
}

/**
 * A standby's snapshot would never be published, and cost it its time.
 * @throws NOT_PERMITTED on a member that doesn't lead, unless that was expected
 */
async function mayAsk({ ha, terms, log }: Parts, { ifPrimary }: SnapshotFlags): Promise<boolean> {
  if (!ha || (await terms.current()) !== undefined) return true
  if (!ifPrimary) throw new MeiliHaError('NOT_PERMITTED', 'only the primary publishes snapshots')
  log.info({ event: 'snapshot.not_primary' }, 'this member does not lead: nothing to do')
  return false
}

/** @throws TIMEOUT after so many milliseconds; 0 = never */
async function within<T>(
  timeoutMs: number,
  stop: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (timeoutMs === 0) return act(stop)
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await act(AbortSignal.any([stop, timeout]))
  } catch (error) {
    if (!timeout.aborted || stop.aborted) throw error
    throw new MeiliHaError('TIMEOUT', `no snapshot was published within ${timeoutMs / 1000} s`, {
      cause: error,
      hint: '/status of `uploader run` says what keeps it; --timeout waits longer.',
    })
  }
}

async function snapshotNow(
  parts: Parts,
  flags: UploaderFlags,
  signal: AbortSignal,
): Promise<Manifest> {
  const { log, catalog, meili } = parts
  const runs = await runnerIsAlive(flags.listen, catalog.store.url)
  if (parts.ha && !runs) {
    throw new MeiliHaError(
      'NOT_PERMITTED',
      'in a member with a lease only `uploader run` publishes',
      {
        hint: 'Start `uploader run` beside it, or name its --listen address here.',
      },
    )
  }
  const publisher = new FilePublisher(parts, flags.member, () => lineageClusterId(parts.paths))
  // Before the snapshot, which may take long: a store that refuses is known now.
  if (!runs) await publisher.look()
  const asked = await askSnapshot(meili, { annotateCommand: flags.annotateCommand, signal })
  log.info({ event: 'snapshot.asked', taskUid: asked.taskUid }, 'asked Meilisearch for a snapshot')
  const task = await waitForTask(meili, asked.taskUid, signal)
  return runs ? waitForRunner(parts, task, signal) : publishIt(parts, publisher, asked, signal)
}

async function publishIt(
  parts: Parts,
  publisher: FilePublisher,
  asked: AskedSnapshot,
  signal: AbortSignal,
): Promise<Manifest> {
  const path = snapshotPath(parts.paths)
  const file = await openSnapshot(path)
  if (!file) {
    throw new MeiliHaError('MEILI_FAILED', `Meilisearch made a snapshot, but not as ${path}`, {
      hint: 'Set --data-dir, MEILI_DB_PATH and MEILI_SNAPSHOT_DIR as Meilisearch has them.',
    })
  }
  try {
    const context = snapshotContext(parts, file, [asked], signal)
    return await publisher.publish(file, context, signal)
  } finally {
    await file.handle.close()
  }
}

const POLL_MS = 1000

/** Two that publish the same file would publish it twice: the one that runs already does it. */
async function waitForRunner(
  { catalog }: Parts,
  task: Task,
  signal: AbortSignal,
): Promise<Manifest> {
  for (;;) {
    const newest = snapshotsOf(await catalog.read())[0]?.manifest
    if (newest && isMadeBy(newest, task)) return newest
    await sleep(POLL_MS, undefined, { signal })
  }
}

/**
 * Whether a manifest's snapshot is what this task made, or newer. By its time: tasks that waited
 * together become one snapshot, which bears the uid of the first. A run without an API key knows
 * no more than the file's own time.
 */
function isMadeBy({ tasks, object }: Manifest, { startedAt }: Task): boolean {
  if (startedAt === null) return false
  if (tasks.snapshotStartedAt) return Date.parse(tasks.snapshotStartedAt) >= Date.parse(startedAt)
  const name = object && parseKey(object.key)
  return name?.kind === 'tarball' && name.utc >= formatUtc(new Date(startedAt))
}
