import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { parsePermit, permitsPrimary } from '@meili-ha/core/ha/permit.ts'

/** Under which epoch this process may publish now; asked again before every write that counts. */
export interface Terms {
  /** Undefined = it may not publish. */
  current(): Promise<number | undefined>
}

/** `--lease none`: epoch 0, always; the catalog's own rules refuse a second writer. */
export const WITHOUT_LEASE: Terms = { current: async () => 0 }

/** With a lease-keeper: the epoch of the primary permit in force. A missing permit is no permit. */
export function permitTerms(ha: HaDir, clock: BootClock): Terms {
  return {
    async current() {
      const permit = parsePermit((await ha.readLine('permit')) ?? '')
      return permitsPrimary(permit, clock.now(), clock.bootId()) ? permit.epoch : undefined
    },
  }
}
