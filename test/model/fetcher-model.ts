import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { emptyDirectory, type Directory, type Lineage, type Member } from './member.ts'
import { idOf, newestOf, type Snapshot } from './services.ts'
import type { World } from './world.ts'

const LOOK = 50
const POLL = 1_000

/**
 * The highest epoch that the directory led in, or claimed. A claim that was decided but never written
 * doesn't count: the directory could neither follow nor become level any more.
 */
function ledIn({ primaryIn, claim }: Lineage, list: readonly Snapshot[]): number {
  const written = claim !== null && list.some(({ id }) => id === idOf(claim.epoch, 0))
  return Math.max(-1, ...primaryIn, written ? claim.epoch : -1)
}

/** The fetcher beside a member with a lease: design section 6, an await between every two steps. */
export function startFetcher(world: World, member: Member): void {
  const { simulation, network, store, variation } = world
  const process = member.fetcher
  const caller = { member: member.name, process }
  const { disk } = member
  let decided = member.ha.data !== undefined
  let list: Snapshot[] | undefined
  let listed = -Infinity
  let listFailed = false
  let acknowledged = member.ha.sync?.acknowledged ?? null
  let failed: Sync['failed'] = null
  let asksSwap: string | null = null
  let progress = member.ha.sync?.progress ?? 0
  let nonce = simulation.between(1, 1e6)

  const newest = () =>
    variation.slips.has('newest by arrival') ? list?.at(-1) : newestOf(list ?? [])
  const isNew = () => list !== undefined && list.length === 0

  const write = () => {
    const lineage = disk.live?.lineage
    const held = lineage?.snapshotId ?? null
    const followed = Number(/^follow (\d+)$/.exec(member.ha.want ?? '')?.[1] ?? -1)
    const fit = disk.live !== undefined && decided && list !== undefined
    const outage = listFailed || list === undefined
    const ready =
      disk.live !== undefined && decided && (outage ? lineage!.primaryIn.includes(followed) : fit)
    member.ha.sync = {
      writtenAt: member.boot(),
      bootId: member.bootId,
      decided,
      clusterId: null,
      holds:
        held === null
          ? null
          : {
              id: held,
              epoch: Number(held.slice(0, 10)),
              seq: Number(held.slice(11)),
              tarball: lineage!.tarball,
              snapshotStartedAt: lineage!.startedAt,
              lastTaskUid: null,
            },
      primaryIn: lineage?.primaryIn ?? [],
      claim: lineage?.claim ?? null,
      newestEpoch: newest()?.epoch ?? null,
      newest: newest()?.id ?? null,
      listedAt: null,
      uninitialised: isNew(),
      lagSeconds: null,
      ready,
      reason: null,
      asksSwap,
      acknowledged,
      failed,
      progress,
    }
  }
  const later = (delay = LOOK) => {
    write()
    process.after(Math.ceil(delay / member.rate), look)
  }
  const step = (low: number, high: number, run: () => void) =>
    process.after(simulation.between(low, high), () => {
      progress += 1
      run()
    })

  const look = () => {
    const want = member.ha.want ?? ''
    const [verb, number] = want.split(' ')
    const epoch = Number(number)
    if (failed && failed.want !== want) failed = null
    if (verb === 'promote')
      return acknowledged === want ? later() : relist(() => promote(epoch, want))
    if (verb === 'lead') return acknowledged === want ? later() : lead(epoch, want)
    if (verb === 'final') return settle(epoch, want)
    if (member.boot() - listed >= POLL) return relist(follow)
    follow()
  }

  const relist = (then: () => void) =>
    network.call(
      'store',
      caller,
      300,
      () => store.list(),
      (result) => {
        listed = member.boot()
        listFailed = typeof result !== 'object'
        if (typeof result === 'object') list = result.ok
        then()
      },
    )

  /** What stands in the directory may be replaced, must be set aside, or is kept. */
  const verdict = (target: Snapshot): 'replace' | 'set aside' | 'keep' => {
    const { lineage } = disk.live!
    const led = ledIn(lineage, list ?? [])
    const writer = list?.find((one) => one.epoch === target.epoch && one.seq === 0)?.writer
    if (led > target.epoch || (led === target.epoch && writer === member.name)) return 'keep'
    if (lineage.primaryIn.length === 0) return 'replace'
    return variation.slips.has('diverged is replaced') ? 'replace' : 'set aside'
  }
  const isLevel = (target: Snapshot) => disk.live?.lineage.tarball === target.tarball

  const follow = () => {
    // A crash between the two renames: finish what was begun.
    if (!disk.live && disk.next) {
      disk.live = disk.next
      disk.next = undefined
      return later()
    }
    const target = newest()
    if (!disk.live) {
      return target && !listFailed ? restore(target, () => later(), false) : later(200)
    }
    if (!decided && list === undefined && !listFailed) return later()
    const permit = member.ha.permit?.permit
    const mayMove = target && !listFailed && permit?.role !== 'primary' && !isLevel(target)
    if (!mayMove || verdict(target) === 'keep') {
      asksSwap = null
      return open()
    }
    restore(target, () => later(), decided)
  }

  const open = () => {
    if (!decided) member.ha.data = 'ready -'
    decided = true
    later()
  }

  /** Download beside the live directory; ask, unless Meilisearch can't be running or a promotion waits. */
  const restore = (target: Snapshot, then: () => void, asks: boolean) => {
    step(30, 250, () => {
      const lineage = {
        snapshotId: target.id,
        tarball: target.tarball,
        startedAt: target.startedAt,
        primaryIn: [],
        claim: null,
      }
      disk.next = { lineage, content: target.content }
      if (!asks) return close(target, then)
      asksSwap = target.id
      write()
      awaitSwap(target, then, 100)
    })
  }

  const awaitSwap = (target: Snapshot, then: () => void, patience: number) => {
    const told = member.ha.want === `swap ${target.id}`
    if (!told && (patience === 0 || !(member.ha.want ?? 'follow').startsWith('follow'))) {
      asksSwap = null
      return later()
    }
    if (!told) return process.after(LOOK, () => awaitSwap(target, then, patience - 1))
    close(target, then)
  }

  /** Closed with a nonce, and an echo of that nonce that says stopped: then the two renames. */
  const close = (target: Snapshot, then: () => void) => {
    nonce += 1
    const line = `closed ${nonce}`
    member.ha.data = line
    const wait = () => {
      const { beat } = member.ha
      if (beat?.state !== 'stopped' || beat.dataLine !== line) return process.after(10, wait)
      swap(target, then)
    }
    process.after(10, wait)
  }

  const swap = (target: Snapshot, then: () => void) => {
    const { next, live } = disk
    if (!next) return later()
    if (variation.slips.has('lineage before rename') && live) {
      disk.live = { ...live, lineage: next.lineage }
      return step(1, 30, () => moveOut(target, next, then))
    }
    moveOut(target, next, then)
  }

  const moveOut = (target: Snapshot, next: Directory, then: () => void) => {
    const { live } = disk
    if (live && verdict(target) === 'set aside') disk.setAside.push(live.content)
    else if (live) world.destroys(member, live)
    disk.live = undefined
    step(1, 5, () => {
      disk.live = next
      disk.next = undefined
      decided = true
      asksSwap = null
      member.ha.data = 'ready -'
      then()
    })
  }

  const promote = (epoch: number, want: string) => {
    asksSwap = null
    if (!disk.live && disk.next) {
      disk.live = disk.next
      disk.next = undefined
    }
    if (listFailed) {
      failed = { want, message: 'the store is unreachable' }
      return later(100)
    }
    const target = newest()
    if (!target) {
      if (!disk.live) {
        disk.live = emptyDirectory()
      }
      decided = true
      member.ha.data = 'ready -'
      return decide(epoch, null, want)
    }
    const own =
      disk.live !== undefined &&
      ledIn(disk.live.lineage, list ?? []) === target.epoch &&
      list?.find((one) => one.epoch === target.epoch && one.seq === 0)?.writer === member.name
    if (own || (disk.live && isLevel(target))) {
      if (!decided) member.ha.data = 'ready -'
      decided = true
      return decide(epoch, target.id, want)
    }
    if (variation.slips.has('claims what it holds') && disk.live) {
      return decide(epoch, disk.live.lineage.snapshotId, want)
    }
    if (disk.live && verdict(target) === 'keep') {
      failed = { want, message: 'not level, and its directory must be kept' }
      return later(100)
    }
    restore(target, () => later(), false)
  }

  const decide = (epoch: number, of: string | null, want: string) => {
    step(0, 3, () => {
      const live = disk.live!
      const once = live.lineage.claim?.epoch === epoch ? live.lineage.claim : { epoch, of }
      const early = variation.slips.has('primaryIn before claim') ? [epoch] : []
      const primaryIn = [...live.lineage.primaryIn, ...early]
      disk.live = { ...live, lineage: { ...live.lineage, claim: once, primaryIn } }
      failed = null
      acknowledged = want
      later()
    })
  }

  const lead = (epoch: number, want: string) => {
    step(0, 3, () => {
      const live = disk.live
      if (!live) return later()
      const primaryIn = [...new Set([...live.lineage.primaryIn, epoch])]
      disk.live = { ...live, lineage: { ...live.lineage, primaryIn } }
      acknowledged = want
      later()
    })
  }

  const settle = (epoch: number, want: string) => {
    const final = member.ha.published?.final
    if (acknowledged === want || final?.epoch !== epoch || !disk.live) return later()
    step(0, 30, () => {
      const live = disk.live!
      const claim = null
      const known = store.get(final.id)
      disk.live = {
        ...live,
        lineage: {
          snapshotId: final.id,
          tarball: final.tarball,
          startedAt: known?.startedAt ?? null,
          primaryIn: [],
          claim,
        },
      }
      acknowledged = want
      later()
    })
  }
  later(5)
}
