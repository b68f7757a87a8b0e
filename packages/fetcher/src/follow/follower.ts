import { snapshotsOf } from '@meili-ha/core/catalog/catalog-view.ts'
import { clusterIdOf } from '@meili-ha/core/catalog/cluster.ts'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { parsePermit } from '@meili-ha/core/ha/permit.ts'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { parseWant, type Want } from '@meili-ha/core/ha/want.ts'
import type { Verdict } from '../decide.ts'
import { carryOut } from '../restore.ts'
import type { FollowOptions } from './follow-options.ts'
import { Member } from './member.ts'
import { Preparation } from './preparation.ts'
import { whyNotReady } from './standing.ts'
import { swapPrepared } from './swap-prepared.ts'
import { heldBy, seenIn } from './sync-document.ts'
import { SyncWriter } from './sync-writer.ts'
import { worthFollowing } from './target.ts'
import { Wants, type Answer } from './wants.ts'

/** How often `want` is looked at. */
const TURN_MS = 250
/** Routers need a moment to notice that this member is out of the read routing. */
const UNROUTE_MS = 2000

/*
 *   undecided --(keep, adopt; restore and swap)--> decided: following <--> promoting, leading, final
 *
 * One turn after the other: look at what the keeper wants, list the store when it is time, do one
 * step, say in sync.json what is so now. Only a download goes on beside the turns.
 */
export class Follower {
  readonly #options: FollowOptions
  readonly member: Member
  readonly preparation: Preparation
  readonly #wants: Wants
  readonly #sync: SyncWriter
  #decided = false
  #waitingFor: string | null = null
  #want: Want | undefined
  #listAt = Number.NEGATIVE_INFINITY
  #swappedAt = Number.NEGATIVE_INFINITY
  /** Without a keeper: out of the read routing until then, and until Meilisearch answers again. */
  #outUntil: number | undefined
  #acknowledged: string | null = null
  #failed: Sync['failed'] = null
  /** What is so since the last turn. */
  state: Sync | undefined

  constructor(options: FollowOptions) {
    this.#options = options
    this.member = new Member(options)
    this.preparation = new Preparation(options, this.member)
    this.#wants = new Wants(options, this.member, this.preparation)
    this.#sync = new SyncWriter(options.ha)
  }

  /** True while readers should be sent elsewhere, since a swap is near or under way. */
  get outOfRouting(): boolean {
    return this.#outUntil !== undefined
  }

  async run(): Promise<void> {
    const { signal, sleep, log, metrics } = this.#options
    let recovered = false
    while (!signal.aborted) {
      try {
        if (!recovered) await this.member.recover()
        recovered = true
        await this.#turn()
      } catch (error) {
        if (isError(error, 'CANCELLED') && signal.aborted) break
        metrics.failures.inc()
        this.#noteWaiting(messageOf(error))
        log.error({ event: 'follow.failed', err: error }, messageOf(error))
        await this.#say().catch(() => {})
        await sleep(this.#options.pollMs)
      }
      await sleep(TURN_MS)
    }
    await this.preparation.stop()
  }

  async #turn(): Promise<void> {
    const { ha, keeper } = this.#options
    const line = keeper ? await ha.readLine('want') : undefined
    this.#want = line === undefined ? undefined : parseWant(line)
    const listed = await this.#listIfDue()
    if (listed || !this.#decided) await this.member.look()
    const verb = this.#want?.verb ?? 'follow'
    const promotion = verb === 'promote' || verb === 'lead' || verb === 'final'
    if (promotion) await this.#obey(line as string)
    if (!this.#decided && verb !== 'final') await this.#settle(promotion)
    else if (!promotion) await this.#follow(line)
    await this.#wants.writeFirstLineage()
    await this.#watch(listed)
    await this.#say()
  }

  async #listIfDue(): Promise<boolean> {
    const { monotonic, pollMs } = this.#options
    if (monotonic() < this.#listAt) return false
    this.#listAt = monotonic() + pollMs
    await this.member.list()
    return true
  }

  /** The design's table; nothing runs before. */
  async #settle(promoting: boolean): Promise<void> {
    const { gate, ha, engine } = this.#options
    // The guard writes `engine` before its first beat.
    if ((await engine()) === undefined && (await ha.readLine('guard')) === undefined) {
      return this.#noteWaiting('the guard has not started yet')
    }
    const { verdict } = this.member.weigh()
    if (verdict === 'restore' || verdict === 'set-aside') {
      if (promoting) return
      this.#noteWaiting(this.preparation.failure ?? 'it is being restored')
      if (this.preparation.ready) await this.#swap()
      else if (this.#listedJustNow || !this.preparation.failure) {
        await this.preparation.start(this.member.plan())
      }
      return
    }
    const why = whyUndecided(verdict, this.member.unreachable?.message)
    if (why !== null) return this.#noteWaiting(why)
    const { data, view, unreachable, engine: known } = this.member
    await carryOut({ verdict, data, view, unreachable }, { ...this.#options, engine: known })
    await this.member.look()
    const claim = this.member.lineage?.claim
    const archiving =
      this.#want?.verb === 'promote' && claim?.archive && claim.epoch === this.#want.epoch
    if (!archiving) await gate.open(this.member.lineage?.snapshotId ?? null)
    this.#noteDecided()
  }

  get #listedJustNow(): boolean {
    const { monotonic, pollMs } = this.#options
    return this.#listAt - monotonic() > pollMs - 2 * TURN_MS
  }

  async #follow(line: string | undefined): Promise<void> {
    const { keeper, swapEveryMs, monotonic, gate } = this.#options
    const { lineage, data } = this.member
    // Given up half-way, a promotion may have left it closed for an archive.
    if (data.state === 'whole') await gate.open(lineage?.snapshotId ?? null)
    if (this.#want?.verb === 'swap') {
      if (this.#acknowledged === line) return
      if (this.preparation.ready?.id !== this.#want.id) return this.#refuse(line, 'not prepared')
      await this.#swap()
      return this.#acknowledge(line)
    }
    this.#acknowledge(line)
    const { directory } = this.member.weigh().situation
    const due = monotonic() - this.#swappedAt >= swapEveryMs
    const targets = due ? worthFollowing(this.member.candidates, directory, lineage) : []
    if (targets.length === 0) return
    const listed = this.#listedJustNow
    if (listed || (!this.preparation.running && !this.preparation.failure)) {
      await this.preparation.start({ ...this.member.plan(), candidates: targets, skipped: [] })
    }
    if (!keeper && this.preparation.ready) await this.#swapByItself()
  }

  /** Without a keeper: first out of the routing through our own /readyz. */
  async #swapByItself(): Promise<void> {
    const { monotonic } = this.#options
    this.#outUntil ??= monotonic() + UNROUTE_MS
    if (monotonic() < this.#outUntil) return
    try {
      await this.#swap()
    } finally {
      this.#outUntil = undefined
    }
  }

  async #swap(): Promise<void> {
    await swapPrepared(this.#options, this.member, this.preparation)
    this.#swappedAt = this.#options.monotonic()
    this.#noteDecided()
  }

  async #obey(line: string): Promise<void> {
    const want = this.#want as Exclude<Want, { verb: 'swap' }>
    if (this.#acknowledged === line) return
    const answer = await this.#carryOut(want)
    if (answer === 'working') return
    if (answer !== 'done') return this.#refuse(line, answer.failed)
    this.#acknowledge(line)
    if (want.verb === 'lead') this.#noteDecided()
  }

  #carryOut({ verb, epoch }: Exclude<Want, { verb: 'swap' }>): Promise<Answer> {
    if (verb === 'promote') return this.#wants.promote(epoch)
    if (verb === 'lead') return this.#wants.lead(epoch)
    return this.#wants.final(epoch)
  }

  /** The mark soon after a start; stray tasks and the key at every poll. */
  async #watch(listed: boolean): Promise<void> {
    const { gate, ha, watch } = this.#options
    const { lineage } = this.member
    if (!this.#decided || !lineage) return
    const unmarked = lineage.lastTaskUid === null
    if (!listed && !unmarked && watch.keyTrouble === null) return
    const beat = parseBeat((await ha.readLine('guard')) ?? '')
    const data = await gate.read()
    if (beat?.state !== 'running' || data?.state !== 'ready') return
    const newest = await watch.look(lineage)
    if (unmarked && newest !== undefined) {
      await this.member.writeLineage({ ...lineage, lastTaskUid: newest })
    }
  }

  async #say(): Promise<void> {
    const { metrics, watch } = this.#options
    const { member, preparation } = this
    const { situation } = member.weigh()
    const { lineage, view } = member
    const newest = member.candidates[0]
    const primaryIn = lineage?.primaryIn ?? [this.#wants.unwritten ?? []].flat()
    const held = heldBy(lineage, view, newest, situation.directory === 'leading')
    const reason = whyNotReady({
      ...situation,
      decided: this.#decided,
      waitingFor: this.#waitingFor,
      primaryIn,
      recordEpoch: await this.#recordEpoch(),
      misfit: member.misfit() ?? (preparation.ready ? null : preparation.failure),
      foreignTask: watch.foreignTask,
      keyTrouble: watch.keyTrouble,
    })
    const { clock } = this.#options
    this.state = {
      writtenAt: clock.now(),
      bootId: clock.bootId(),
      decided: this.#decided,
      clusterId: lineage?.clusterId ?? (view && clusterIdOf(view)) ?? null,
      ...held,
      ...seenIn(view, newest),
      primaryIn,
      claim: lineage?.claim ?? this.#wants.claim,
      listedAt: member.listedAt,
      uninitialised: this.#isUninitialised(),
      ready: reason === null,
      reason,
      asksSwap: this.#decided ? (preparation.ready?.id ?? null) : null,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      progress: preparation.progress,
    }
    metrics.lag.set(held.lagSeconds ?? Number.NaN)
    metrics.ready.set(reason === null ? 1 : 0)
    metrics.decided.set(this.#decided ? 1 : 0)
    metrics.newestEpoch.set(this.state.newestEpoch ?? 0)
    metrics.foreign.set(watch.foreignTask === null ? 0 : 1)
    await this.#sync.write(this.state)
  }

  /** Nobody has published anything, or only this member, that it began: nothing could be lost. */
  #isUninitialised(): boolean {
    const { view, unreachable } = this.member
    if (!view || unreachable) return false
    const { store, directory } = this.member.weigh().situation
    if (store === 'never-initialised') return directory !== 'leading'
    const own = snapshotsOf(view).every(({ manifest }) => manifest.writer === this.#options.member)
    return store === 'begun-empty' && own && (directory === 'absent' || directory === 'empty')
  }

  async #recordEpoch(): Promise<number | null> {
    if (this.#want?.verb === 'follow') return this.#want.epoch
    return parsePermit((await this.#options.ha.readLine('permit')) ?? '')?.epoch ?? null
  }

  #noteDecided(): void {
    if (!this.#decided) this.#options.log.info({ event: 'follow.decided' }, 'decided')
    this.#decided = true
    this.#waitingFor = null
  }

  #noteWaiting(why: string): void {
    if (this.#waitingFor !== why) this.#options.log.info({ event: 'follow.waiting', why }, why)
    this.#waitingFor = why
  }

  #acknowledge(line: string | undefined): void {
    if (line === undefined) return
    this.#acknowledged = line
    this.#failed = null
  }

  #refuse(line: string | undefined, message: string): void {
    if (line === undefined) return
    if (this.#failed?.message !== message) {
      this.#options.log.error({ event: 'follow.refused', want: line }, message)
    }
    this.#failed = { want: line, message }
  }
}

/** Null = it can be carried out at once. */
function whyUndecided(verdict: Verdict, unreachable: string | undefined): string | null {
  if (typeof verdict === 'object') return verdict.because
  if (verdict === 'wait-for-store') return unreachable ?? 'the store does not answer'
  if (verdict === 'wait-for-bootstrap') return 'it waits for the first primary'
  return null
}
