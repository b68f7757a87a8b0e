/**
 * What an API server's answer means to a caller. `conflict`: somebody else wrote first, or it is
 * there already. `missing`: no such object. `denied`: credentials or RBAC. `unknown`: no answer in
 * time, a broken one, or one that says that the server couldn't (5xx, 429): it may have taken effect.
 * `refused`: a definite no for another reason.
 */
export type KubeFailure = 'conflict' | 'missing' | 'denied' | 'unknown' | 'refused'

/** A request to the API server that didn't succeed. Its message never holds a credential. */
export class KubeError extends Error {
  readonly failure: KubeFailure
  /** Undefined when no answer came. */
  readonly status: number | undefined

  constructor(
    failure: KubeFailure,
    message: string,
    { status, cause }: { status?: number; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'KubeError'
    this.failure = failure
    this.status = status
  }
}

/** What a status other than 2xx means. */
export function failureOf(status: number): KubeFailure {
  if (status === 401 || status === 403) return 'denied'
  if (status === 404) return 'missing'
  if (status === 409) return 'conflict'
  if (status === 408 || status === 429 || status >= 500) return 'unknown'
  return 'refused'
}

/** True when `error` is an answer of the API server, or the lack of one, that means one of `failures`. */
export function isKubeError(error: unknown, ...failures: KubeFailure[]): error is KubeError {
  return error instanceof KubeError && (failures.length === 0 || failures.includes(error.failure))
}
