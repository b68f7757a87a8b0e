/** An answer other than 2xx, as the API server words it. */
export class ApiStatus extends Error {
  readonly code: number
  readonly reason: string

  constructor(code: number, reason: string, message: string) {
    super(message)
    this.code = code
    this.reason = reason
  }

  toJson() {
    const { code, reason, message } = this
    return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code }
  }
}

export const notFound = (what: string) => new ApiStatus(404, 'NotFound', `${what} not found`)
export const conflict = (what: string) =>
  new ApiStatus(409, 'Conflict', `${what}: the object has been modified`)
export const invalid = (what: string) => new ApiStatus(422, 'Invalid', what)
export const forbidden = (what: string) => new ApiStatus(403, 'Forbidden', what)
export const unauthorized = () => new ApiStatus(401, 'Unauthorized', 'Unauthorized')
