/** The steps that step.ts can do, and what the table calls them. */
export const STEPS = {
  read: 'read, 256 KiB at a time',
  sha256: 'read and SHA-256 of 8 MiB parts (publish)',
  digests: 'read and SHA-256 as it comes (restore)',
  gunzip: 'read, inflate and CRC-32',
  verify: 'read and verify: inflate, CRC-32, tar, names',
  send: 'read and PUT 8 MiB parts to a sink',
  receive: 'GET 4 MiB ranges from a source',
  write: 'write, not synced',
  sync: 'write and fsync',
} as const

export type Step = keyof typeof STEPS
