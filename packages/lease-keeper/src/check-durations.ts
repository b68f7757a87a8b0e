import type { Host } from '@meili-ha/core/cli/host.ts'
import { ProofFailed, ProofSkipped, type Proof } from '@meili-ha/core/store/proof.ts'
import type { RunFlags } from './commands/keeper-flags.ts'
import { differingDurations } from './members/lease-durations.ts'
import { openLease } from './open-lease.ts'

/** What each member says of itself, and this one's flag where it was given. */
export function durationsProof(
  host: Pick<Host, 'env'>,
  flags: RunFlags,
  given: (name: string) => boolean,
): Proof {
  return {
    name: 'all members run with one --lease-duration',
    hint: 'Give all lease-keepers of the cluster the same --lease-duration; until then the longest counts.',
    run: async () => {
      if (flags.lease === 'none') throw new ProofSkipped('--lease none has no lease')
      using lease = await openLease(host, flags, 'look')
      const stated = await lease.statements.readAll()
      if (stated.length === 0) throw new ProofSkipped('no member has stated itself yet')
      const own = { member: '--lease-duration here', leaseDurationMs: flags.leaseDuration }
      const differ = differingDurations(given('leaseDuration') ? [...stated, own] : stated)
      if (differ !== null) throw new ProofFailed(differ)
    },
  }
}
