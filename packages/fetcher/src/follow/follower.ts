import { listSetAside } from '@meili-ha/core/data-dir/set-aside.ts'
import { isError, MeiliHaError, messageOf } from '@meili-ha/core/errors.ts'
import { lagNow } from '@meili-ha/core/ha/lag-now.ts'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { parseWant, type Want } from '@meili-ha/core/ha/want.ts'
import type { Verdict } from '../decide.ts'
import { carryOut } from '../restore.ts'
import { Acknowledgement } from './acknowledgement.ts'
import { describeSync } from './describe-sync.ts'
import type { FollowOptions } from './follow-options.ts'
import { hasQuestions, keepWatch } from './keep-watch.ts'
import { Member } from './member.ts'
import { Preparation } from './preparation.ts'
import { Swapping } from './swapping.ts'
import { SyncWriter } from './sync-writer.ts'
import { worthFollowing } from './target.ts'
import { type BetweenTurns, turnRest } from './turn-rest.ts'
import { Wants } from './wants.ts'

/** After a failed turn. */
const PAUSE_MS = 2000

/*
 *   undecided --(keep, adopt; restore and swap)--> decided: following <--> promoting, leading, final
 *
 * One turn after the other: look at what the keeper wants, list the store when it is time, do one
 * step, say in sync.json what is so now. Only a download goes on beside the turns.
 */
export class Follower {
  readonly #options: FollowOptions
  readonly #member: Member
  readonly #preparation: Preparation
  readonly #swapping: Swapping
  readonly #wants: Wants
  readonly #sync: SyncWriter
  readonly #answer: Acknowledgement
  #decided = false
  #waitingFor: string | null = null
  /** What the keeper wants, and as it wrote it. */
  #want: Want | undefined
  #line: string | undefined
  #listAt = Number.NEGATIVE_INFINITY
  #listed = false
  /** What is so since the last turn. */
  state: Sync | undefined
  /** Why nothing can be decided about the data directory, and what helps; null = nothing is refused. */
  refusal: { code: string; hint: string } | null = null

  constructor(options: FollowOptions) {
    this.#options = options
    this.#member = new Member(options)
    this.#preparation = new Preparation(options, this.#member)
    this.#swapping = new Swapping(options, this.#member, this.#preparation)
    this.#wants = new Wants(options, this.#member, this.#preparation)
    this.#sync = new SyncWriter(options.ha)
    this.#answer = new Acknowledgement(options.log)
  }

  /** True while readers should be sent elsewhere, since a swap is near. */
  get outOfRouting(): boolean {
    return this.#swapping.outOfRouting
  }

  /** How far what it holds may be behind, as of this moment; null = not known. */
  get lagSeconds(): number | null {
    return this.state ? lagNow(this.state, this.#options.clock.now()) : null
  }

  /** Until the program is told to stop. A turn that fails is tried again. */
  async run(): Promise<void> {
    const { signal, sleep, rest, log, metrics } = this.#options
    await this.#member.recover()
    while (!signal.aborted) {
      try {
        await this.#turn()
        const { ms, toldMs } = turnRest(this.#betweenTurns)
        await rest(ms, toldMs)
      } catch (error) {
        if (isError(error, 'CANCELLED') && signal.aborted) break
        metrics.failures.inc()
        log.error({ event: 'follow.failed', err: error }, messageOf(error))
        this.#noteWaiting(messageOf(error))
        this.#answer.refuse(this.#line, messageOf(error))
        await this.#say().catch(() => {})
        await sleep(PAUSE_MS)
      }
    }
    await this.#preparation.stop()
  }

  /** A promotion or hand-over stands still until it is answered. */
  get #isAwaited(): boolean {
    const verb = this.#want?.verb
    return verb !== undefined && verb !== 'follow' && this.#answer.acknowledged !== this.#line
  }

  get #betweenTurns(): BetweenTurns {
    const { watch, monotonic } = this.#options
    const { lineage } = this.#member
    return {
      awaited: this.#isAwaited,
      decided: this.#decided,
      preparing: this.#preparation.running || this.#preparation.ready !== undefined,
      outOfRouting: this.#swapping.outOfRouting,
      unwritten: this.#wants.unwritten !== undefined,
      asking: lineage !== undefined && hasQuestions(watch, lineage),
      untilListMs: this.#listAt - monotonic(),
    }
  }

  async #turn(): Promise<void> {
    const { ha, keeper } = this.#options
    this.#line = keeper ? await ha.readLine('want') : undefined
    this.#want = this.#line === undefined ? undefined : parseWant(this.#line)
    await this.#listIfDue()
    await this.#noteEngine()
    // Until an empty beginning has its lineage, nothing on disk says that it takes writes.
    const unwritten = this.#wants.unwritten !== undefined
    if (this.#listed || !this.#decided || unwritten) await this.#member.look()
    const verb = keeper ? this.#want?.verb : 'follow'
    const promotion = verb === 'promote' || verb === 'lead' || verb === 'final'
    if (promotion) await this.#obey(this.#want as Exclude<Want, { verb: 'swap' }>)
    if (!this.#decided && verb !== 'final') await this.#settle(promotion)
    else if (verb === 'swap') await this.#swapAsTold()
    else if (verb === 'follow') await this.#follow()
    await this.#wants.writeFirstLineage()
    if (this.#decided) await keepWatch(this.#options, this.#member, this.#listed)
    await this.#say()
  }

  /** What was decided and prepared for another Meilisearch isn't good for the one that was put in its place. */
  async #noteEngine(): Promise<void> {
    const { gate, log } = this.#options
    const engine = await this.#options.engine()
    const { engine: former } = this.#member
    if (engine === undefined || engine === former) return
    if (former !== undefined) {
      log.warn({ event: 'follow.engine', former, engine }, `it is Meilisearch ${engine} now`)
      await gate.close()
      await this.#preparation.stop()
      this.#preparation.forget()
      this.#decided = false
    }
    this.#member.engine = engine
  }

  async #listIfDue(): Promise<void> {
    const { monotonic, pollMs } = this.#options
    this.#listed = monotonic() >= this.#listAt
    if (!this.#listed) return
    this.#listAt = monotonic() + pollMs
    await this.#member.list()
    await this.#countSetAside()
  }

  async #countSetAside(): Promise<void> {
    const { paths, metrics } = this.#options
    const found = await listSetAside(paths)
    metrics.setAside.set(found.length)
    metrics.setAsideBytes.set(found.reduce((sum, { bytes }) => sum + bytes, 0))
  }

  /** The design's table; nothing runs before. */
  async #settle(promoting: boolean): Promise<void> {
    const { gate, ha, engine } = this.#options
    // The guard writes `engine` before its first beat.
    if ((await engine()) === undefined && (await ha.readLine('guard')) === undefined) {
      return this.#noteWaiting('the guard has not started yet')
    }
    const { verdict } = this.#member.weigh()
    if (verdict === 'restore' || verdict === 'set-aside') {
      // Becoming level is the promotion's own business.
      if (promoting) return
      this.#noteWaiting(this.#preparation.failure ?? 'it is being restored')
      if (!this.#preparation.ready) return this.#prepare()
      await this.#swapping.now()
      return this.#noteDecided()
    }
    if (typeof verdict === 'object') return this.#noteRefusal(verdict)
    const why = whyUndecided(verdict, this.#member.unreachable?.message)
    if (why !== null) return this.#noteWaiting(why)
    const { data, view, unreachable, engine: known } = this.#member
    await carryOut({ verdict, data, view, unreachable }, { ...this.#options, engine: known })
    await this.#member.look()
    const claim = this.#member.lineage?.claim
    const archiving = promoting && claim?.archive && this.#line === `promote ${claim.epoch}`
    if (!archiving) await gate.open(this.#member.lineage?.snapshotId ?? null)
    this.#noteDecided()
  }

  async #follow(): Promise<void> {
    const { keeper, gate } = this.#options
    const { lineage, data } = this.#member
    // Given up half-way, a promotion may have left it closed for an archive.
    if (data.state === 'whole') await gate.open(lineage?.snapshotId ?? null)
    this.#answer.accept(this.#line)
    if (!this.#swapping.due) return
    const { directory } = this.#member.weigh().situation
    const targets = worthFollowing(this.#member.candidates, directory, lineage)
    // What was prepared for another day would be older than what is held by now.
    if (targets.length === 0) return this.#preparation.forget()
    await this.#prepare(targets)
    if (!keeper && this.#preparation.ready) await this.#swapping.byItself()
  }

  async #swapAsTold(): Promise<void> {
    if (this.#answer.acknowledged === this.#line || this.#want?.verb !== 'swap') return
    if (this.#preparation.ready?.id !== this.#want.id) {
      return this.#answer.refuse(this.#line, 'another snapshot is prepared by now')
    }
    await this.#swapping.now()
    this.#answer.accept(this.#line)
  }

  /**
   * What failed is tried again with the next listing, not at every turn. What is under way is seen
   * through: snapshots published faster than one is downloaded and swapped in would never arrive.
   */
  async #prepare(candidates = this.#member.candidates): Promise<void> {
    const { running, ready, failure, underWay } = this.#preparation
    if (!this.#listed && (running || ready || failure !== null)) return
    if (candidates.some(({ id }) => id === underWay)) return
    const plan = this.#member.plan()
    await this.#preparation.start({ ...plan, candidates })
  }

  async #obey({ verb, epoch }: Exclude<Want, { verb: 'swap' }>): Promise<void> {
    if (this.#answer.acknowledged === this.#line || verb === 'follow') return
    const answer = await this.#wants[verb](epoch)
    if (answer === 'working') return
    if (answer !== 'done') return this.#answer.refuse(this.#line, answer.failed)
    this.#answer.accept(this.#line)
    if (verb === 'lead') this.#noteDecided()
  }

  async #say(): Promise<void> {
    const { metrics, watch } = this.#options
    this.state = await describeSync(this.#options, this.#member, this.#preparation, this.#wants, {
      decided: this.#decided,
      waitingFor: this.#waitingFor,
      want: this.#want,
      answer: this.#answer,
    })
    metrics.lag.set(this.lagSeconds ?? Number.NaN)
    metrics.ready.set(this.state.ready ? 1 : 0)
    metrics.decided.set(this.state.decided ? 1 : 0)
    metrics.newestEpoch.set(this.state.newestEpoch ?? 0)
    metrics.foreign.set(watch.foreignTask === null ? 0 : 1)
    await this.#sync.write(this.state)
  }

  #noteDecided(): void {
    if (!this.#decided) this.#options.log.info({ event: 'follow.decided' }, 'decided')
    this.#decided = true
    this.#waitingFor = null
    this.refusal = null
  }

  /** Only a person can end it; said once, and again when it is for another reason. */
  #noteRefusal({ fail, because, hint }: Exclude<Verdict, string>): void {
    const error = new MeiliHaError(fail, because, hint === undefined ? {} : { hint })
    this.refusal = { code: error.code, hint: error.hint }
    if (this.#waitingFor !== because) {
      this.#options.log.error({ event: 'follow.undecided', ...this.refusal }, because)
    }
    this.#waitingFor = because
  }

  #noteWaiting(why: string): void {
    if (this.#waitingFor !== why) this.#options.log.info({ event: 'follow.waiting', why }, why)
    this.#waitingFor = why
    this.refusal = null
  }
}

/** Null = it can be carried out at once. */
function whyUndecided(verdict: Verdict, unreachable: string | undefined): string | null {
  if (verdict === 'wait-for-store') return unreachable ?? 'the store does not answer'
  if (verdict === 'wait-for-bootstrap') return 'it waits for the first snapshot'
  return null
}
