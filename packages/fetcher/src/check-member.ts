import { access, constants, stat, statfs } from 'node:fs/promises'
import { restoreCandidates } from '@meili-ha/core/catalog/restore-candidates.ts'
import type { CatalogView } from '@meili-ha/core/catalog/catalog-view.ts'
import type { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { formatBytes } from '@meili-ha/core/cli/units.ts'
import { inspectDataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import type { DataPaths } from '@meili-ha/core/data-dir/paths.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { ProofFailed, ProofSkipped, type Proof } from '@meili-ha/core/store/proof.ts'
import { downloadTarball } from './download.ts'
import type { Patience } from './patience.ts'
import { versionIn } from './commands/fetcher-flags.ts'

export interface CheckOptions {
  /** Undefined = not given. */
  catalog: CatalogReader | undefined
  paths: DataPaths
  ha: HaDir | undefined
  clock: BootClock
  uid: number
  /** Whether --data-dir was given; if not, its absence is no failure. */
  dataDirGiven: boolean
  patience: Patience
  signal: AbortSignal
}

const TMPFS = 0x01021994
/** A beat older than this (centiseconds) is nobody's: the guard writes four a second. */
const STALE_BEAT = 500

/** What `fetcher check` proves, one row each. */
export function memberProofs(options: CheckOptions): Proof[] {
  return [...storeProofs(options), ...dataProofs(options), ...haProofs(options)]
}

function storeProofs({ catalog, patience, signal }: CheckOptions): Proof[] {
  const given = () => {
    if (!catalog) throw new ProofSkipped('--store is not given')
    return catalog
  }
  return [
    {
      name: 'store: list and read manifests',
      hint: 'Allow s3:ListBucket on the bucket and s3:GetObject on the prefix.',
      run: async () => void (await given().read()),
    },
    {
      name: 'store: read the newest snapshot',
      hint: '`fetcher list` shows what is there.',
      run: async () => {
        const { store } = given()
        const [newest] = restoreCandidates(await given().read()).candidates
        if (!newest) throw new ProofSkipped('the store holds no snapshot yet')
        for await (const _ of downloadTarball(store, newest.manifest.object, {
          patience,
          signal,
        })) {
          break
        }
      },
    },
  ]
}

function dataProofs({ paths, uid, catalog, dataDirGiven }: CheckOptions): Proof[] {
  const parent = async () => {
    const found = await stat(paths.parent).catch(() => undefined)
    if (found) return found
    if (dataDirGiven) throw new ProofFailed(`${paths.parent} does not exist`)
    throw new ProofSkipped(`${paths.parent} does not exist, and --data-dir is not given`)
  }
  return [
    {
      name: `data directory: writable as uid ${uid}`,
      hint: 'Run as the uid that Meilisearch runs as, and mount its volume at --data-dir.',
      run: async () => {
        await parent()
        await access(paths.parent, constants.R_OK | constants.W_OK | constants.X_OK)
        const live = await stat(paths.live).catch(() => undefined)
        if (live && uid !== 0 && live.uid !== uid) {
          throw new ProofFailed(`${paths.live} belongs to uid ${live.uid}, this is uid ${uid}`)
        }
        if (live && uid === 0 && live.uid !== 0) {
          throw new ProofFailed(
            `${paths.live} belongs to uid ${live.uid}: what root restores, that uid can't write`,
          )
        }
      },
    },
    {
      name: 'data directory: whole or absent',
      hint: 'Never start Meilisearch on it: `fetcher restore` sets it aside and takes a good one.',
      run: async () => {
        await parent()
        const found = await inspectDataDirectory(paths.live)
        if (found.state === 'partial') {
          throw new ProofFailed(`${paths.live} lacks ${found.missing.join(', ')}`)
        }
      },
    },
    {
      name: 'disk: room for one more copy',
      hint: 'A standby unpacks beside the live directory: enlarge the volume.',
      run: async () => {
        await parent()
        if (!catalog) throw new ProofSkipped('--store is not given')
        const needed = bytesNeeded(await catalog.read())
        const { bavail, bsize } = await statfs(paths.parent)
        if (bavail * bsize >= needed) return
        throw new ProofFailed(
          `${formatBytes(bavail * bsize)} free, a restore needs ${formatBytes(needed)}`,
        )
      },
    },
  ]
}

function haProofs({ ha, clock }: CheckOptions): Proof[] {
  const given = () => {
    if (!ha) throw new ProofSkipped('--ha-dir is not given')
    return ha
  }
  return [
    {
      name: 'ha: writable, in memory',
      hint: 'Mount one memory-backed volume (emptyDir with medium: Memory, tmpfs) at --ha-dir.',
      run: async () => {
        const { path } = given()
        await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
        if ((await statfs(path)).type !== TMPFS) {
          throw new ProofFailed(`${path} is on a disk: it would outlive a reboot`)
        }
      },
    },
    {
      name: 'guard: beats',
      hint: 'Start Meilisearch through guard.sh (`fetcher guard --to DIR`), with the same --ha-dir.',
      run: async () => {
        const beat = parseBeat((await given().readLine('guard')) ?? '')
        if (!beat) throw new ProofFailed('no guard has written its beat')
        const age = clock.now() - beat.now
        if (age > STALE_BEAT) throw new ProofFailed(`the last beat is ${age / 100} s old`)
        if (age < -STALE_BEAT) throw new ProofFailed('its clock is not ours: gVisor or LXCFS?')
      },
    },
    {
      name: 'guard: knows its Meilisearch',
      hint: 'Give --engine-version, so that versions are checked before anything is moved.',
      run: async () => {
        const line = (await given().readLine('engine')) ?? ''
        if (!versionIn(line)) throw new ProofFailed('`engine` names no version')
      },
    },
  ]
}

function bytesNeeded(view: CatalogView): number {
  const [newest] = restoreCandidates(view).candidates
  if (!newest) throw new ProofSkipped('the store holds no snapshot yet')
  return newest.manifest.contents.unpackedBytes
}
