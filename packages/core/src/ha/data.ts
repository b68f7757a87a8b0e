/**
 * `/ha/data`: whether the data directory may be opened. `ready <snapshotId>`, `ready -` for a
 * directory that holds no snapshot (empty or adopted), or `closed <nonce>`. Absent = must not run.
 */
export type DataGate =
  | { state: 'ready'; snapshotId: string | null }
  | { state: 'closed'; nonce: string }

export function formatData(data: DataGate): string {
  return data.state === 'ready' ? `ready ${data.snapshotId ?? '-'}` : `closed ${data.nonce}`
}

export function parseData(line: string): DataGate | undefined {
  const ready = /^ready ([0-9]{10}-[0-9]{10}|-)$/.exec(line)
  if (ready) return { state: 'ready', snapshotId: ready[1] === '-' ? null : (ready[1] as string) }
  const closed = /^closed ([0-9a-z-]{1,64})$/.exec(line)
  return closed ? { state: 'closed', nonce: closed[1] as string } : undefined
}
