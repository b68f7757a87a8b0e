import { parseManifest, type Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { parseKey, SNAPSHOTS } from '@meili-ha/core/catalog/names.ts'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import type { Recorder } from './recorder.ts'
import { pause } from './routing.ts'

const EVERY_MS = 200

/**
 * Looks at the store by a way that no fault is on, and notes every manifest and every new epoch of the
 * lease: retention removes the former, and the latter only the newest record tells.
 */
export class Observer {
  readonly manifests = new Map<string, Manifest>()
  epoch = 0
  #lookedAt = 0
  readonly #store: Store
  readonly #recorder: Recorder
  readonly #lease

  constructor(store: Store, recorder: Recorder) {
    this.#store = store
    this.#recorder = recorder
    this.#lease = storeLease(store, { timeoutMs: 2000, clock: REAL_CLOCK })
  }

  async watchUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await pause(EVERY_MS, signal)
    }
  }

  /** The lease first: what is seen in the store after it may be newer, never older. */
  async look(): Promise<void> {
    const began = this.#recorder.now()
    const epoch = (await this.#lease.read().catch(() => undefined))?.record.epoch
    if (epoch !== undefined) {
      const at = this.#recorder.now()
      if (epoch > this.epoch) {
        this.#recorder.add({ kind: 'lease', epoch, after: this.#lookedAt, at })
        this.epoch = epoch
      }
      this.#lookedAt = began
    }
    const listed = await this.#store.list(SNAPSHOTS).catch(() => [])
    for (const { key } of listed) {
      const name = parseKey(key)
      if (name?.kind !== 'manifest' || this.manifests.has(name.id)) continue
      const body = await this.#store.get(key).then(
        (got) => got.body,
        () => undefined,
      )
      if (body) this.#note(parseManifest(name.id, body))
    }
  }

  #note(manifest: Manifest): void {
    this.manifests.set(manifest.id, manifest)
    const { id, epoch, seq, writer, object, claim, final, tasks } = manifest
    this.#recorder.add({
      ...{ kind: 'manifest', seenAt: this.#recorder.now(), id, epoch, seq, writer },
      ...(claim && { of: claim.of }),
      tarball: object?.sha256 ?? null,
      final: final === true,
      startedAt: this.#recorder.fromWall(tasks.snapshotStartedAt),
      finishedAt: this.#recorder.fromWall(tasks.snapshotFinishedAt),
      lastTaskUid: tasks.lastTaskUid ?? null,
    })
  }
}
