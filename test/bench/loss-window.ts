/** A write that was acknowledged. */
export interface Write {
  taskUid: number
  /** Milliseconds, of any clock. */
  at: number
}

/** A snapshot that was seen in the store. */
export interface Listing {
  /** When it was listed, of the same clock. */
  at: number
  /** It holds every task up to this one; under load some more. */
  lastTaskUid: number
}

/**
 * How long each write would have been lost in a crash: from its acknowledgement until a snapshot that
 * holds it is listed. A write that no listing holds has no window yet, and is left out: so the last
 * listing must come after whatever is to count.
 * @returns milliseconds, one for each write that one of `listings` holds
 */
export function lossWindows(writes: readonly Write[], listings: readonly Listing[]): number[] {
  const inOrder = listings.toSorted((a, b) => a.at - b.at)
  return writes.flatMap(({ taskUid, at }) => {
    const holding = inOrder.find((listing) => listing.lastTaskUid >= taskUid)
    // It may be listed before the answer is read.
    return holding ? [Math.max(0, holding.at - at)] : []
  })
}
