/** What goes wrong with an answer. Half a body is meant wherever a body breaks off. */
export type Fault =
  /** Answered with this status before anything takes effect. */
  | { kind: 'status'; status: number; code: string; retryAfter?: string }
  /** Never answered; nothing takes effect. */
  | { kind: 'hang' }
  /** The connection is reset before anything takes effect. */
  | { kind: 'reset' }
  /** Takes effect, then the connection is reset instead of an answer. */
  | { kind: 'lost-answer' }
  /** Half the body of the answer, then silence. */
  | { kind: 'hang-in-body' }
  /** Half the body of the answer, then the connection ends. */
  | { kind: 'short-body' }
  /** Half the body of the answer without a length, and a clean end. */
  | { kind: 'clean-short-body' }
  /** One bit of the answer's body is the other. */
  | { kind: 'flip-answer' }
  /** One bit of the request's body arrives as the other. */
  | { kind: 'flip-request' }

/** Which requests it befalls: all that are given must fit. */
export interface FaultRule {
  /** `PutObject`, `UploadPart`, `ListObjectsV2`, … */
  op?: string
  key?: string | RegExp
  /** How often; default once. `Infinity` for always. */
  times?: number
  /** Requests that fit and are let through first. */
  after?: number
}

/** The faults to come, in the order in which they were added. */
export class Faults {
  #rules: (FaultRule & { fault: Fault; left: number; skip: number })[] = []

  add(fault: Fault, rule: FaultRule = {}): void {
    this.#rules.push({ ...rule, fault, left: rule.times ?? 1, skip: rule.after ?? 0 })
  }

  clear(): void {
    this.#rules = []
  }

  /** The fault for a request, taken off its count. */
  take(op: string, key: string): Fault | undefined {
    for (const rule of this.#rules) {
      if (rule.left <= 0 || !fits(rule, op, key)) continue
      if (rule.skip-- > 0) continue
      rule.left--
      return rule.fault
    }
    return undefined
  }
}

function fits(rule: FaultRule, op: string, key: string): boolean {
  if (rule.op !== undefined && rule.op !== op) return false
  if (rule.key === undefined) return true
  return typeof rule.key === 'string' ? rule.key === key : rule.key.test(key)
}

/** A copy with one bit in its middle turned over. */
export function flipBit(body: Buffer): Buffer {
  const copy = Buffer.from(body)
  const middle = copy.length >> 1
  if (copy.length > 0) copy[middle] = copy[middle]! ^ 1
  return copy
}
