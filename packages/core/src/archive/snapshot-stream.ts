/** What a snapshot that was read to its very end held. */
export interface SnapshotReport {
  /** `MAJOR.MINOR.PATCH`, from `VERSION`. */
  version: string
  /** Files and directories, the root left out. */
  entries: number
  /** Bytes of all files, holes included: what `ls -l` adds up to. */
  unpackedBytes: number
  /** Number of `indexes/<uuid>/data.mdb`. */
  indexes: number
}

export interface SnapshotReadOptions {
  /** Ends the reading with CANCELLED. What blocks inside `source` must be ended by its own owner. */
  signal?: AbortSignal
  /** Called now and then with the unpacked bytes so far. */
  onProgress?: (unpackedBytes: number) => void
}
