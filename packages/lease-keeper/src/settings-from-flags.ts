import { randomUUID } from 'node:crypto'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { RunFlags } from './commands/keeper-flags.ts'
import type { Settings } from './settings.ts'
import { timingFor } from './timing.ts'

/**
 * What the decisions depend on, from the flags; relations between flags are checked here.
 * @throws USAGE
 */
export async function settingsFromFlags(
  flags: RunFlags,
  ha: HaDir,
  clock: BootClock,
): Promise<Settings> {
  const usage = (message: string, hint: string) => new MeiliHaError('USAGE', message, { hint })
  if ((flags.lease === 'none') !== (flags.primary !== undefined)) {
    throw usage('--lease none and --primary MEMBER belong together', 'Give both, or neither.')
  }
  if (flags.lease === 'kubernetes' && !flags.podUid) {
    throw usage(
      '--pod-uid is required with a Kubernetes lease',
      'Set MEILI_HA_POD_UID from the downward API: fieldPath metadata.uid.',
    )
  }
  // Without a guard nothing holds Meilisearch down between its restarts: it can't follow.
  const cold = flags.standby === 'cold' || flags.stop === 'signal'
  const fixed = flags.primary === flags.member ? 'fixed-primary' : 'fixed-standby'
  return {
    member: flags.member,
    uid: flags.podUid ?? (await memberId(ha)),
    nonce: randomUUID().slice(0, 8),
    bootId: clock.bootId(),
    timing: timingFor(flags.leaseDuration),
    lease: flags.lease === 'none' ? fixed : 'shared',
    standby: cold ? 'cold' : 'warm',
    routing: flags.lease === 'kubernetes' ? 'labels' : 'http',
    bootstrap: flags.bootstrapMember === flags.member || flags.primary === flags.member,
    bootstrapIsOther: ![undefined, flags.member].includes(flags.bootstrapMember),
    failover: flags.failover,
    failoverDelay: Math.round(flags.failoverDelay / 10),
    maxLossMs: flags.maxLoss ?? null,
    unhealthyAfter: Math.round(flags.unhealthyAfter / 10),
    catchUpTimeout: Math.round(flags.catchUpTimeout / 10),
    drainLimit: flags.drainLimit === undefined ? null : Math.round(flags.drainLimit / 10),
  }
}

/** A random id that lives as long as `/ha`: a keeper that restarts is the same member. */
async function memberId(ha: HaDir): Promise<string> {
  const known = await ha.readLine('member')
  if (known !== undefined && /^[0-9a-f-]{36}$/.test(known)) return known
  const id = randomUUID()
  await ha.writeLine('member', id)
  return id
}
