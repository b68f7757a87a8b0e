import { randomUUID } from 'node:crypto'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { formatData, parseData, type DataGate } from '@meili-ha/core/ha/data.ts'
import { echoesStoppedData, parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'

/** The guard looks four times a second and kills after 2 s; what takes longer than this is a dead guard. */
const ECHO_TIMEOUT_MS = 15_000
const LOOK_MS = 50

export interface GateOptions {
  ha: HaDir
  clock: BootClock
  sleep: (ms: number) => Promise<void>
}

/** `/ha/data`: whether the guard may let Meilisearch open the data directory. */
export class Gate {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** What it says now; undefined = absent, or not a gate's line. */
  async read(): Promise<DataGate | undefined> {
    return parseData((await this.#options.ha.readLine('data')) ?? '')
  }

  /** Lets Meilisearch run. Written only when it says something else: a change of the file is news. */
  async open(snapshotId: string | null): Promise<void> {
    const line = formatData({ state: 'ready', snapshotId })
    if ((await this.#options.ha.readLine('data')) === line) return
    await this.#options.ha.writeLine('data', line)
  }

  /**
   * Returns when no Meilisearch runs on the directory, and none will before `open`. An absent file
   * never let one run: then there is nobody to wait for, not even a guard.
   * @throws GUARD_SILENT when the guard doesn't say in time that it has stopped it
   */
  async close(): Promise<void> {
    const { ha, clock, sleep } = this.#options
    if ((await ha.readLine('data')) === undefined) return
    const line = formatData({ state: 'closed', nonce: randomUUID() })
    await ha.writeLine('data', line)
    const since = clock.now()
    for (let waited = 0; waited < ECHO_TIMEOUT_MS; waited += LOOK_MS) {
      // A guard that starts with another Meilisearch takes away what was said for the one before.
      if ((await ha.readLine('data')) === undefined) await ha.writeLine('data', line)
      if (echoesStoppedData(parseBeat((await ha.readLine('guard')) ?? ''), line, since)) return
      await sleep(LOOK_MS)
    }
    throw new MeiliHaError(
      'GUARD_SILENT',
      'the guard has not confirmed that Meilisearch is stopped',
    )
  }
}
