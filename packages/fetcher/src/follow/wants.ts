import { randomUUID } from 'node:crypto'
import { snapshotsOf } from '@meili-ha/core/catalog/catalog-view.ts'
import { clusterIdOf } from '@meili-ha/core/catalog/cluster.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { parsePermit, permitsPrimary } from '@meili-ha/core/ha/permit.ts'
import { publishedSchema } from '@meili-ha/core/ha/sync.ts'
import { decideClaim } from './decide-claim.ts'
import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'
import type { Preparation } from './preparation.ts'
import { swapPrepared } from './swap-prepared.ts'

/** What came of one look at what the keeper wants. */
export type Answer = 'done' | 'working' | { failed: string }

/** Carries out what the keeper asks of the data directory in a promotion and in a drain. */
export class Wants {
  readonly #options: FollowOptions
  readonly #member: Member
  readonly #preparation: Preparation
  /** The claim of an empty beginning: there is no directory yet whose lineage could hold it. */
  claim: Lineage['claim'] = null
  /** An epoch that began empty, until Meilisearch has made a directory that can say so. */
  unwritten: number | undefined
  #forgiven: number | undefined

  constructor(options: FollowOptions, member: Member, preparation: Preparation) {
    this.#options = options
    this.#member = member
    this.#preparation = preparation
  }

  /** Level with the newest good snapshot *now*, and the claim decided once and on disk. */
  async promote(epoch: number): Promise<Answer> {
    const member = this.#member
    if (this.#preparation.running) return 'working'
    await member.look()
    const decided = member.lineage?.claim
    if (decided?.epoch === epoch) {
      // Asked again while it serves, by a keeper that was restarted: the archive is published already.
      if (decided.archive && !(await this.#isPrimary())) await this.#options.gate.close()
      return 'done'
    }
    if (this.#forgiven !== epoch) member.forgiveDamaged()
    this.#forgiven = epoch
    await member.list()
    if (member.unreachable || !member.view) {
      return { failed: member.unreachable?.message ?? 'the store does not answer' }
    }
    const { situation } = member.weigh()
    const decision = decideClaim({
      ...situation,
      epoch,
      lineage: member.lineage,
      view: member.view,
      candidates: member.candidates,
      allOwn: snapshotsOf(member.view).every(
        ({ manifest }) => manifest.writer === this.#options.member,
      ),
      serving: await this.#isPrimary(),
    })
    if (decision === 'catch-up') return this.#catchUp()
    if ('refused' in decision) return { failed: decision.refused }
    await this.#keepClaim(decision.claim)
    return 'done'
  }

  /** The claim is written: from the permit on, this directory takes writes. */
  async lead(epoch: number): Promise<Answer> {
    const member = this.#member
    const { gate } = this.#options
    await member.look()
    const { lineage } = member
    if (!lineage) return this.#leadEmpty(epoch)
    if (!lineage.primaryIn.includes(epoch)) {
      if (lineage.claim?.epoch !== epoch) return { failed: `no claim of epoch ${epoch} is decided` }
      await member.writeLineage({ ...lineage, primaryIn: [...lineage.primaryIn, epoch] })
    }
    await gate.open(lineage.snapshotId)
    return 'done'
  }

  /** The stopped directory is published whole: it is no divergence any more. */
  async final(epoch: number): Promise<Answer> {
    const published = await this.#options.ha.readJson('published.json', publishedSchema)
    const final = published?.final
    if (final?.epoch !== epoch) return 'working'
    await this.#member.look()
    const { lineage } = this.#member
    if (!lineage) return { failed: 'the data directory has no lineage' }
    await this.#member.writeLineage({
      ...lineage,
      snapshotId: final.id,
      tarball: final.tarball,
      primaryIn: [],
      claim: null,
      // What it was counted from is over: read anew at the next start.
      lastTaskUid: null,
    })
    return 'done'
  }

  /** As soon as Meilisearch has made the directory of an empty beginning. */
  async writeFirstLineage(): Promise<void> {
    const member = this.#member
    const epoch = this.unwritten
    if (epoch === undefined || member.data.state !== 'whole' || member.lineage) return
    // The uploader has chosen the cluster's id meanwhile.
    await member.list()
    if (member.unreachable) return
    await member.writeLineage({
      ...this.#newLineage(),
      primaryIn: [epoch],
      claim: { epoch, of: this.claim?.of ?? null },
    })
    this.unwritten = undefined
  }

  async #catchUp(): Promise<Answer> {
    const preparation = this.#preparation
    const newest = this.#member.candidates[0]
    if (preparation.ready && preparation.ready.id === newest?.id) {
      await swapPrepared(this.#options, this.#member, preparation)
    } else {
      await preparation.start(this.#member.plan())
    }
    return 'working'
  }

  async #keepClaim(claim: NonNullable<Lineage['claim']>): Promise<void> {
    const member = this.#member
    if (claim.archive) await this.#options.gate.close()
    this.claim = claim
    this.#preparation.forget()
    if (member.lineage) await member.writeLineage({ ...member.lineage, claim })
    else if (member.data.state === 'whole')
      await member.writeLineage({ ...this.#newLineage(), claim })
    const { epoch, of } = claim
    this.#options.log.info({ event: 'promote.claim', ...claim }, `epoch ${epoch} claims ${of}`)
  }

  async #leadEmpty(epoch: number): Promise<Answer> {
    const member = this.#member
    if (member.data.state !== 'absent' && member.data.state !== 'empty') {
      return { failed: 'the data directory has no lineage' }
    }
    if (this.claim?.epoch !== epoch) {
      // This fetcher was restarted meanwhile: the claim that was written tells.
      await member.list()
      const written = member.view && snapshotsOf(member.view)[0]
      if (member.unreachable || written?.epoch !== epoch || written.manifest.object !== null) {
        return { failed: `no empty claim of epoch ${epoch} is known` }
      }
      this.claim = { epoch, of: written.manifest.claim?.of ?? null }
    }
    this.unwritten = epoch
    await this.#options.gate.open(null)
    return 'done'
  }

  #newLineage(): Lineage {
    const { view } = this.#member
    return {
      format: 1,
      clusterId: (view && clusterIdOf(view)) ?? randomUUID(),
      snapshotId: null,
      tarball: null,
      primaryIn: [],
      claim: null,
      lastTaskUid: null,
    }
  }

  async #isPrimary(): Promise<boolean> {
    const { ha, clock } = this.#options
    const permit = parsePermit((await ha.readLine('permit')) ?? '')
    return permitsPrimary(permit, clock.now(), clock.bootId())
  }
}
