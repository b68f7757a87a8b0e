const MIB = 1024 * 1024

/** S3 takes at most this many parts in one upload. */
export const MAX_PARTS = 10_000

/** Small enough that a few in flight are little memory, large enough that requests don't dominate. */
export const SMALLEST_PART = 8 * MIB

/**
 * Bytes of one part for a file of `size` bytes: 8 MiB as long as that makes at most 10,000 parts,
 * doubled until it does. It depends on the size alone, so that equal files have equal digests of
 * parts, whoever uploads them: "level with" compares those.
 */
export function partSizeFor(size: number): number {
  let partSize = SMALLEST_PART
  while (size > partSize * MAX_PARTS) partSize *= 2
  return partSize
}
