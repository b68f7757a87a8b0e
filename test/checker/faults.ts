import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Random } from '../chaos/random.ts'
import type { Member, Part } from '../cluster/member.ts'
import type { Partition } from '../harness/proxy.ts'
import type { FaultRule } from '../s3-server/faults.ts'
import { pauseFailover, switchOver } from './commands.ts'
import { damageNewest } from './damage.ts'
import type { FaultDone } from './history.ts'
import type { Observer } from './observer.ts'
import type { Site } from './site.ts'

/** Where a fault strikes, and what it may know. */
export interface Scene {
  site: Site
  observer: Observer
  random: Random
  /** Who it befalls. */
  member: Member
}

/** What a fault left behind, for the history. */
export type Mark = Partial<Pick<FaultDone, 'damaged' | 'handedOverTo'>>

/** Ends what was struck. */
export type Heal = () => Promise<Mark | void> | Mark | void

export interface FaultKind {
  /** Whom it befalls: one member, or all of them at once. */
  on: 'primary' | 'any' | 'all'
  /** How long it lasts, as shares of the lease duration. */
  lasts: [least: number, most: number]
  /** Needs a store that can be cut off: S3. */
  network?: true
  /** While it lasts the design promises nothing about that member's Meilisearch. */
  excused?: true
  strike: (scene: Scene) => Promise<Heal>
}

const SHORT: [number, number] = [0.2, 0.8]
/** Below and beyond the lease duration. */
const LEASE: [number, number] = [0.3, 2]

/** The faults by the name that the history, the table and `--faults` bear. */
export const FAULTS: Readonly<Record<string, FaultKind>> = {
  'crash meilisearch': {
    ...{ on: 'any', lasts: SHORT },
    strike: async ({ member }) => {
      await signalMeilisearch(member, 'SIGKILL')
      return () => {}
    },
  },
  'freeze meilisearch': {
    ...{ on: 'any', lasts: LEASE },
    strike: async ({ member }) => {
      const pid = await signalMeilisearch(member, 'SIGSTOP')
      return () => signal(pid, 'SIGCONT')
    },
  },
  'power off': { on: 'any', lasts: LEASE, strike: ({ member }) => powerOff(member, false) },
  'power off, /ha kept': {
    ...{ on: 'any', lasts: LEASE },
    strike: ({ member }) => powerOff(member, true),
  },
  'power off all': {
    ...{ on: 'all', lasts: SHORT },
    strike: async ({ site: { cluster } }) => {
      const heals = await Promise.all(cluster.members.map((member) => powerOff(member, false)))
      return async () => {
        for (const heal of heals) await heal()
      }
    },
  },
  'stop as docker does': {
    ...{ on: 'any', lasts: SHORT },
    strike: async ({ member }) => {
      const ends = Object.values(member.parts).map((part) => part.kill('SIGTERM'))
      return async () => {
        const patience = new Promise((resolve) => setTimeout(resolve, 20_000))
        await Promise.race([Promise.all(ends), patience])
        await member.powerOff()
        await member.powerOn()
      }
    },
  },
  'kill keeper': killed('keeper'),
  'kill guard': killed('guard'),
  'kill uploader': killed('uploader'),
  'kill fetcher': killed('fetcher'),
  'freeze keeper': frozen('keeper'),
  'freeze uploader': frozen('uploader'),
  'freeze fetcher': frozen('fetcher'),
  'freeze guard': { ...frozen('guard'), excused: true },
  'pause host': {
    ...{ on: 'any', lasts: LEASE, excused: true },
    strike: async ({ member }) => {
      const pid = await signalMeilisearch(member, 'SIGSTOP')
      const parts = Object.values(member.parts)
      await Promise.all(parts.map((part) => part.freeze()))
      return () => {
        signal(pid, 'SIGCONT')
        parts.forEach((part) => part.thaw())
      }
    },
  },
  'cut off, refused': cutOff('refuse'),
  'cut off, black hole': cutOff('black-hole'),
  'cut off, trickle': cutOff('trickle'),
  'store out of order': outage({}),
  'store takes no tarball': outage({ key: /\.snapshot$/ }),
  'lose lease answers': {
    ...{ on: 'any', lasts: SHORT, network: true },
    strike: async ({ site, member }) => {
      const { faults } = site.wayOf!(member).server
      faults.add({ kind: 'lost-answer' }, { op: 'PutObject', key: /lease\.json$/, times: 2 })
      return () => faults.clear()
    },
  },
  'damage newest, power off': {
    ...{ on: 'primary', lasts: LEASE },
    strike: async ({ site, observer, member }) => {
      const damaged = await damageNewest(site, observer)
      const heal = await powerOff(member, false)
      return async () => {
        await heal()
        return damaged === undefined ? {} : { damaged }
      }
    },
  },
  'switch over': {
    ...{ on: 'all', lasts: [0, 0] },
    strike: async ({ site }) => {
      const handedOverTo = await switchOver(site)
      return () => (handedOverTo === undefined ? {} : { handedOverTo })
    },
  },
  'paused failover, power off': {
    ...{ on: 'primary', lasts: LEASE },
    strike: async ({ site, member }) => {
      await pauseFailover(site, 'pause')
      const heal = await powerOff(member, false)
      return async () => {
        await heal()
        await pauseFailover(site, 'resume')
      }
    },
  },
}

function killed(part: Part): FaultKind {
  return {
    ...{ on: 'any', lasts: LEASE },
    strike: async ({ member }) => {
      await member.stop(part)
      return () => member.restart(part)
    },
  }
}

function frozen(part: Part): FaultKind {
  return {
    ...{ on: 'any', lasts: LEASE },
    strike: async ({ member }) => {
      const process = member.parts[part]
      await process.freeze()
      return () => process.thaw()
    },
  }
}

function cutOff(how: Partition): FaultKind {
  return {
    ...{ on: 'any', lasts: LEASE, network: true },
    strike: async ({ site, member }) => {
      const { proxy } = site.wayOf!(member)
      proxy.partition(how)
      return () => proxy.heal()
    },
  }
}

function outage(rule: FaultRule): FaultKind {
  return {
    ...{ on: 'all', lasts: LEASE, network: true },
    strike: async ({ site }) => {
      const servers = site.cluster.members.map((member) => site.wayOf!(member).server)
      const fault = { kind: 'status', status: 503, code: 'SlowDown' } as const
      for (const { faults } of servers) faults.add(fault, { ...rule, times: Infinity })
      return () => servers.forEach(({ faults }) => faults.clear())
    },
  }
}

async function powerOff(member: Member, keepHa: boolean): Promise<Heal> {
  await member.powerOff({ keepHa })
  return () => member.powerOn()
}

/** @returns the pid; undefined when Meilisearch doesn't run */
async function signalMeilisearch(
  member: Member,
  name: NodeJS.Signals,
): Promise<number | null | undefined> {
  const beat = parseBeat((await member.ha.readLine('guard')) ?? '')
  const pid = beat?.state === 'running' ? beat.pid : undefined
  signal(pid, name)
  return pid
}

function signal(pid: number | null | undefined, name: NodeJS.Signals): void {
  try {
    if (pid) process.kill(pid, name)
  } catch {
    // It ended in between.
  }
}
