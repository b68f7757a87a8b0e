import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'

/** The guard beats four times a second; one that is older than this says nothing any more. */
const FRESH_CS = 200

/**
 * Makes sure that Meilisearch doesn't run, by the guard's word: nobody else can know. An archive of
 * a directory that is written to would be torn, and would miss what is acknowledged meanwhile.
 * @throws GUARD_SILENT, NOT_PERMITTED
 */
export async function assertStopped(ha: HaDir, clock: BootClock): Promise<void> {
  const beat = parseBeat((await ha.readLine('guard')) ?? '')
  if (!beat || Math.abs(clock.now() - beat.now) > FRESH_CS) {
    throw new MeiliHaError('GUARD_SILENT', "the guard doesn't say whether Meilisearch is stopped")
  }
  if (beat.state !== 'stopped') {
    throw new MeiliHaError('NOT_PERMITTED', 'Meilisearch runs: its directory is not archived')
  }
}
