import { stat, statfs } from 'node:fs/promises'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { storeFromFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { formatBytes } from '@meili-ha/core/cli/units.ts'
import { directorySize } from '@meili-ha/core/data-dir/directory-size.ts'
import { dataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { isError } from '@meili-ha/core/errors.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { apiKeySource } from '@meili-ha/core/meilisearch/api-key.ts'
import { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import {
  prove,
  ProofFailed,
  ProofSkipped,
  type Proof,
  type ProofRow,
} from '@meili-ha/core/store/proof.ts'
import { proveLocking } from '@meili-ha/core/store/prove-locking.ts'
import { durationsProof } from './check-durations.ts'
import type { RunFlags } from './commands/keeper-flags.ts'
import { kubeAccess } from './kubernetes/connect.ts'
import { KubeApi } from './kubernetes/kube-api.ts'
import { hasRight, rightsNeeded } from './kubernetes/rights.ts'
import { timingFor } from './timing.ts'

const TMPFS = 0x01021994

/** Everything that a keeper leans on, one row each; `given` tells what was named on the command line. */
export async function checkMember(
  host: Host,
  flags: RunFlags,
  given: (name: string) => boolean,
): Promise<ProofRow[]> {
  return [
    ...(await checkLease(host, flags)),
    ...(await prove([
      durationsProof(host, flags, given),
      ...haProofs(flags),
      meilisearchProof(host, flags, given),
      diskProof(host, flags, given),
    ])),
  ]
}

async function checkLease(host: Host, flags: RunFlags): Promise<ProofRow[]> {
  const { requestTimeout } = timingFor(flags.leaseDuration)
  if (flags.lease === 'store') {
    const store = await storeFromFlags(host, flags)
    try {
      return await proveLocking(store)
    } finally {
      store.close()
    }
  }
  if (flags.lease !== 'kubernetes') return []
  const api = new KubeApi(await kubeAccess(host.env), { timeoutMs: requestTimeout * 10 })
  try {
    return await prove(
      rightsNeeded(flags.cluster).map((right) => ({
        name: `may ${right.verb} ${right.resource}${right.name ? ` ${right.name}` : ''}`,
        hint: 'Bind the Role of deploy/rbac to the service account of this pod.',
        run: async () => {
          if (!(await hasRight(api, right))) throw new ProofFailed('denied')
        },
      })),
    )
  } finally {
    api.close()
  }
}

function haProofs({ haDir, leaseDuration }: RunFlags): Proof[] {
  const given = () => {
    if (haDir) return new HaDir(haDir)
    throw new ProofSkipped('--ha-dir was not given')
  }
  return [
    {
      name: '/ha is shared, writable and in memory',
      hint: 'Mount one emptyDir with medium Memory (a tmpfs) into all containers of this member.',
      run: async () => {
        const ha = given()
        await ha.writeLine(
          'member',
          (await ha.readLine('member')) ?? '00000000-0000-0000-0000-000000000000',
        )
        const { type } = await statfs(ha.path)
        if (type !== TMPFS)
          throw new ProofFailed('it is not a tmpfs: it survives a reboot, and can be slow')
      },
    },
    {
      name: 'the guard beats, and its clock agrees',
      hint: 'Start Meilisearch through guard.sh; a sandbox that hides the boot clock cannot be used.',
      run: async () => {
        const beat = parseBeat((await given().readLine('guard')) ?? '')
        if (!beat) throw new ProofFailed('no heartbeat in /ha/guard')
        const apart = Math.abs(systemBootClock.now() - beat.now)
        const { beatLimit } = timingFor(leaseDuration)
        if (apart > beatLimit) throw new ProofFailed(`its last beat is ${apart / 100} s off`)
      },
    },
  ]
}

function meilisearchProof(host: Host, flags: RunFlags, given: (name: string) => boolean): Proof {
  return {
    name: 'Meilisearch answers, and takes the key',
    hint: 'Name it with --meili-url, its key with --api-key-file. A waiting standby of a cold pair never answers.',
    run: async () => {
      const meili = new MeilisearchClient({
        url: flags.meiliUrl,
        apiKey: apiKeySource({ file: flags.apiKeyFile, value: host.env['MEILI_HA_API_KEY'] }),
      })
      await meili.health().catch((error: unknown) => {
        if (!isError(error, 'MEILI_UNREACHABLE') || given('meiliUrl')) throw error
        throw new ProofSkipped(error.message)
      })
      await meili.newestTask()
    },
  }
}

/** A restore needs the room once more, beside what is there. */
function diskProof(host: Host, flags: RunFlags, given: (name: string) => boolean): Proof {
  return {
    name: 'disk for a restore',
    hint: 'Enlarge the volume: a new snapshot is unpacked beside the live directory.',
    run: async () => {
      const { live, parent } = dataPaths(flags.dataDir, host.env)
      const there = await stat(parent).catch(() => undefined)
      if (!there && !given('dataDir')) throw new ProofSkipped(`${parent} does not exist`)
      const { bavail, bsize } = await statfs(parent)
      const size = await directorySize(live)
      const free = bavail * bsize
      if (free < size)
        throw new ProofFailed(`${formatBytes(free)} are free, ${formatBytes(size)} may be needed`)
    },
  }
}
