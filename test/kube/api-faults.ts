/** What goes wrong with a request. */
export type ApiFault =
  /** Answered with this status before anything takes effect. */
  | { kind: 'status'; status: number }
  /** Never answered; nothing takes effect. */
  | { kind: 'hang' }
  /** Takes effect; then a byte of the answer every 50 ms, for ever. */
  | { kind: 'trickle' }
  /** Takes effect; half the answer's body, then the connection ends. */
  | { kind: 'short-body' }
  /** The connection is reset before anything takes effect. */
  | { kind: 'reset' }
  /** Takes effect, then the connection is reset instead of an answer. */
  | { kind: 'lost-answer' }
  /** Takes effect and is answered with this status. */
  | { kind: 'applied-but'; status: number }
  /** A page of HTML with status 200, as a captive proxy would. */
  | { kind: 'nonsense' }

export interface ApiFaultRule {
  method?: string
  path?: RegExp
  /** How often; default once. `Infinity` for always. */
  times?: number
  /** Requests that fit and are let through first. */
  after?: number
}

/** The faults to come, in the order in which they were added. */
export class ApiFaults {
  #rules: (ApiFaultRule & { fault: ApiFault; left: number; skip: number })[] = []

  add(fault: ApiFault, rule: ApiFaultRule = {}): void {
    this.#rules.push({ ...rule, fault, left: rule.times ?? 1, skip: rule.after ?? 0 })
  }

  clear(): void {
    this.#rules = []
  }

  /** The fault for a request, taken off its count. */
  take(method: string, path: string): ApiFault | undefined {
    for (const rule of this.#rules) {
      const fits = (rule.method ?? method) === method && (rule.path?.test(path) ?? true)
      if (rule.left <= 0 || !fits) continue
      if (rule.skip-- > 0) continue
      rule.left--
      return rule.fault
    }
    return undefined
  }
}
