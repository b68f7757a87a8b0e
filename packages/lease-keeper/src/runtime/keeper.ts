import type { Logger } from 'pino'
import { messageOf } from '@meili-ha/core/errors.ts'
import { formatData } from '@meili-ha/core/ha/data.ts'
import { formatPermit, parsePermit, permitsPrimary } from '@meili-ha/core/ha/permit.ts'
import { formatWant } from '@meili-ha/core/ha/want.ts'
import type { Action } from '../action.ts'
import { decide } from '../decide.ts'
import type { Event, Now } from '../event.ts'
import { isOwnUid, type Settings } from '../settings.ts'
import { startingState, type KeeperState } from '../state.ts'
import type { Statement } from '../members/statement.ts'
import { readGuard, readHa } from './ha-watch.ts'
import { HaWriter } from './ha-writer.ts'
import type { Report } from './report.ts'
import { askLease, askPods } from './requests.ts'
import type { Site } from './site.ts'
import { whyItWaits } from './why-it-waits.ts'

/**
 * The decisions' hands: one event at a time goes in, its actions are carried out in their order, and
 * whatever they are answered comes back as events. Everything that matters is decided in decide.ts.
 */
export class Keeper {
  readonly settings: Settings
  readonly #site: Site
  readonly #log: Logger
  readonly #files: HaWriter
  #state: KeeperState
  readonly #events: Event[] = []
  #pumping: Promise<void> | undefined
  #requests = 0
  #exit = false
  #lastPromotion: Statement['promoted'] = null
  #waits: string | null = null
  #holderDurationMs: number | null = null

  private constructor(settings: Settings, site: Site, log: Logger, state: KeeperState) {
    this.settings = settings
    this.#site = site
    this.#log = log
    this.#files = new HaWriter(site.ha, log)
    this.#state = state
  }

  /** Takes up what an earlier run of this keeper left in `/ha`. */
  static async start(settings: Settings, site: Site, log: Logger): Promise<Keeper> {
    const permit = parsePermit((await site.ha.readLine('permit')) ?? '')
    const now = site.clock.now()
    const inForce = permitsPrimary(permit, now, settings.bootId) ? permit : null
    return new Keeper(settings, site, log, startingState(now, inForce, permit?.epoch ?? 0))
  }

  get state(): KeeperState {
    return this.#state
  }

  /** The last promotion of this run; null = there was none. */
  get lastPromotion(): Statement['promoted'] {
    return this.#lastPromotion
  }

  /** Why it doesn't lead, while it stands by. */
  get waits(): string | null {
    return this.#waits
  }

  get now(): Now {
    return { boot: this.#site.clock.now(), wall: this.#site.wall() }
  }

  /** True once a decision has ended this keeper and nothing is under way any more. */
  get ended(): boolean {
    return this.#exit && this.#requests === 0
  }

  /** Looks at the guard's beat alone and lets the time pass: a tenth of the cost of a whole look. */
  async tickByBeat(): Promise<void> {
    await this.tell(await readGuard(this.#site.ha), { type: 'tick' })
  }

  /** Looks at all of `/ha` and lets the time pass; where nobody tells what was written, a few times a second. */
  async tick(): Promise<void> {
    await this.#files.repair()
    const events = await readHa(this.#site.ha)
    await this.tell(...events, { type: 'tick' })
    this.#sayWhyItWaits()
    this.#sayDurations()
  }

  /** Resolves when the events are decided on and their files written. */
  tell(...events: Event[]): Promise<void> {
    this.#events.push(...events)
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined
    })
    return this.#pumping
  }

  async #pump(): Promise<void> {
    // Read again only after something took time: most looks at /ha are half a dozen events that change nothing.
    let now = this.now
    for (let event = this.#events.shift(); event; event = this.#events.shift()) {
      const { state, actions } = decide(this.settings, this.#state, event, now)
      this.#state = state
      if (actions.length === 0) continue
      for (const action of actions) await this.#perform(action)
      now = this.now
    }
  }

  async #perform(action: Action): Promise<void> {
    switch (action.type) {
      case 'readLease':
      case 'createLease':
      case 'updateLease':
        return this.#answer(askLease(this.#site, action, this.#timeoutMs, this.#log))
      case 'readPod':
      case 'patchPod':
      case 'stripOthers':
        return this.#answer(askPods(this.#site, action, this.#timeoutMs, this.#log))
      case 'writePermit':
        return this.#files.write('permit', formatPermit(action.permit))
      case 'writeData':
        return this.#files.write('data', formatData(action.data))
      case 'writeWant':
        return this.#files.write('want', formatWant(action.want))
      case 'writeDrained':
        return this.#files.write('drained', String(action.askedAt))
      case 'report':
        return this.#report(action)
      case 'exit':
        this.#exit = true
    }
  }

  #sayWhyItWaits(): void {
    const waits = whyItWaits(this.settings, this.#state, this.now)
    if (waits === this.#waits) return
    this.#waits = waits
    if (waits !== null) this.#site.report({ event: 'not-standing', fields: { reason: waits } })
  }

  /** Once for each duration that a holder has; a holder's own record names its own. */
  #sayDurations(): void {
    const record = this.#state.lease.seen?.record
    if (record?.holder == null || isOwnUid(record.holder, this.settings)) return
    const { member, durationMs } = record
    if (durationMs === this.#holderDurationMs) return
    this.#holderDurationMs = durationMs
    const ownMs = this.settings.timing.takeover * 10
    if (durationMs === ownMs) return
    const fields = { holder: member, holderMs: durationMs, ownMs }
    this.#site.report({ event: 'lease-durations-differ', fields })
  }

  #report({ event, fields }: Report): void {
    if (event === 'promoted') {
      const epoch = Number(fields['epoch'])
      const lossMs = fields['lossMs'] === null ? null : Number(fields['lossMs'])
      this.#lastPromotion = { epoch, at: this.#site.wall(), lossMs }
    }
    this.#site.report({ event, fields })
  }

  get #timeoutMs(): number {
    return this.settings.timing.requestTimeout * 10
  }

  #answer(call: Promise<Event>): void {
    this.#requests += 1
    call
      .then((event) => this.tell(event))
      .catch((error: unknown) => {
        this.#log.error({ event: 'keeper.failed', err: error }, messageOf(error))
      })
      .finally(() => {
        this.#requests -= 1
      })
  }
}
