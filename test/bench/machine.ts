import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What a number is worth nothing without. */
export function describeMachine() {
  return {
    date: new Date().toISOString().slice(0, 16),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    load: loadavg().map((value) => value.toFixed(1)),
  }
}
