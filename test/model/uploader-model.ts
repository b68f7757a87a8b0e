import { permitsPrimary } from '@meili-ha/core/ha/permit.ts'
import type { Published } from '@meili-ha/core/ha/sync.ts'
import type { Member } from './member.ts'
import { idOf, type Snapshot } from './services.ts'
import type { World } from './world.ts'

const LOOK = 60
const EVERY = 1_500

/** The uploader: claims what the fetcher decided, publishes while permitted, archives the stopped directory. */
export function startUploader(world: World, member: Member): void {
  const { simulation, network, store, variation } = world
  const process = member.uploader
  const caller = { member: member.name, process }
  let published: Published = member.ha.published ?? {
    writtenAt: 0,
    bootId: member.bootId,
    newest: null,
    nextSeq: null,
    claimed: null,
    final: null,
    failed: null,
    progress: 0,
    bytesPerSecond: null,
  }
  let publishedAt = member.boot()
  const write = (change: Partial<Published>) => {
    published = { ...published, ...change, writtenAt: member.boot() }
    member.ha.published = published
  }
  const later = () => process.after(Math.ceil(LOOK / member.rate), look)

  const put = (snapshot: Snapshot, want: string, done: () => void) =>
    network.call(
      'store',
      caller,
      300,
      () => {
        const there = store.get(snapshot.id)
        // A lost answer or a 412: read and compare.
        if (there?.writer === snapshot.writer && there.tarball === snapshot.tarball) return
        store.put(snapshot)
      },
      (result) => {
        if (typeof result === 'object') done()
        else write({ failed: { want, message: 'the store did not take it' } })
        later()
      },
    )

  const look = () => {
    const want = member.ha.want ?? ''
    const [verb, number] = want.split(' ')
    const epoch = Number(number)
    if (published.failed && published.failed.want !== want) write({ failed: null })
    if (verb === 'final' && published.final?.epoch !== epoch) return final(epoch, want)
    const permit = member.ha.permit?.permit
    const now = member.boot()
    const hasty =
      variation.slips.has('publishes without claim') && permitsPrimary(permit, now, member.bootId)
    if (verb === 'promote' && published.claimed !== epoch && !hasty) return claim(epoch, want)
    if (!permitsPrimary(permit, now, member.bootId) || !member.running) return later()
    const claimed = published.claimed === permit.epoch
    if (!claimed && !hasty) return later()
    if (now - publishedAt < EVERY) return later()
    publishedAt = now
    archive(permit.epoch, (snapshot) => {
      const still = member.ha.permit?.permit
      if (!permitsPrimary(still, member.boot(), member.bootId)) return later()
      if (still.epoch !== permit.epoch) return later()
      put(snapshot, want, () => write({ newest: { id: snapshot.id, snapshotStartedAt: null } }))
    })
  }

  const claim = (epoch: number, want: string) => {
    const { sync } = member.ha
    if (sync?.acknowledged !== want || sync.claim?.epoch !== epoch) return later()
    const of = sync.claim.of
    const base = of === null ? undefined : store.get(of)
    const snapshot: Snapshot = {
      id: idOf(epoch, 0),
      epoch,
      seq: 0,
      writer: member.name,
      content: base?.content ?? 0n,
      tarball: base?.tarball ?? 'empty',
      startedAt: base?.startedAt ?? '',
      of,
    }
    put(snapshot, want, () => write({ claimed: epoch, failed: null }))
  }

  /** The content is what the directory holds when the making begins; publishing takes its time. */
  const archive = (epoch: number, then: (snapshot: Snapshot) => void, isFinal = false) => {
    const last = published.nextSeq?.epoch === epoch ? published.nextSeq.seq : 1
    const { content } = member.disk.live!
    const startedAt = member.wall()
    write({ nextSeq: { epoch, seq: last + 1 } })
    process.after(simulation.between(20, 300), () => {
      write({ progress: published.progress + 1 })
      const id = idOf(epoch, last)
      const tarball = `${member.name}/${member.boots}/${id}`
      const mark = isFinal ? { final: true as const } : {}
      then({ id, epoch, seq: last, writer: member.name, content, tarball, startedAt, ...mark })
    })
  }

  const final = (epoch: number, want: string) => {
    if (published.claimed !== epoch) {
      write({ failed: { want, message: 'this epoch has no claim' } })
      return later()
    }
    const stopped =
      member.ha.beat?.state === 'stopped' || variation.slips.has('final of a running directory')
    if (!stopped || !member.disk.live) return later()
    archive(
      epoch,
      (snapshot) =>
        put(snapshot, want, () => {
          const { id, tarball } = snapshot
          write({
            final: { epoch, id, tarball },
            newest: { id, snapshotStartedAt: snapshot.startedAt },
          })
        }),
      true,
    )
  }
  later()
}
