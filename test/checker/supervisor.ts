import type { Member, Part } from '../cluster/member.ts'
import { pause } from './routing.ts'

const EVERY_MS = 500

/**
 * Starts anew what ends by itself, as every container runtime does. What the nemesis has in hand is left
 * to it.
 */
export class Supervisor {
  restarts = 0
  readonly #members: readonly Member[]
  readonly #inHand = new Set<Member>()

  constructor(members: readonly Member[]) {
    this.#members = members
  }

  /** Leaves a member alone, or takes care of it again. */
  leave(member: Member, alone: boolean): void {
    if (alone) this.#inHand.add(member)
    else this.#inHand.delete(member)
  }

  async superviseUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(this.#members.map((member) => this.#look(member)))
      await pause(EVERY_MS, signal)
    }
  }

  async #look(member: Member): Promise<void> {
    for (const part of Object.keys(member.parts) as Part[]) {
      if (this.#inHand.has(member) || member.parts[part].running()) continue
      this.restarts += 1
      await member.restart(part)
    }
  }
}
