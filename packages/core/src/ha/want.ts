/** `/ha/want`: what the lease-keeper asks of fetcher and uploader; one line. */
export type Want =
  /** Follow the store; swap only when told. */
  | { verb: 'follow'; epoch: number }
  /** The member is out of the read routing: this snapshot may be swapped in. */
  | { verb: 'swap'; id: string }
  /** The lease is held: become level, decide the claim, write it. */
  | { verb: 'promote'; epoch: number }
  /** The claim is written: note the epoch in primaryIn. */
  | { verb: 'lead'; epoch: number }
  /** Meilisearch is stopped for a hand-over: archive the directory and publish it as final. */
  | { verb: 'final'; epoch: number }

export function formatWant(want: Want): string {
  return want.verb === 'swap' ? `swap ${want.id}` : `${want.verb} ${want.epoch}`
}

export function parseWant(line: string): Want | undefined {
  const swap = /^swap ([0-9]{10}-[0-9]{10})$/.exec(line)
  if (swap) return { verb: 'swap', id: swap[1] as string }
  const other = /^(follow|promote|lead|final) (0|[1-9][0-9]{0,9})$/.exec(line)
  if (!other) return undefined
  return { verb: other[1] as Exclude<Want['verb'], 'swap'>, epoch: Number(other[2]) }
}
