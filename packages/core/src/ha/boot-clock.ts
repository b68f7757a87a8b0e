import { readFileSync } from 'node:fs'

/**
 * Centiseconds since boot, untouched by wall-clock jumps (time asleep counts): what every
 * time in `/ha` is written in, because a shell can read it too.
 */
export interface BootClock {
  now(): number
  bootId(): string
}

/** Reads /proc/uptime and the kernel's boot id; Linux only. */
export const systemBootClock: BootClock = {
  now: () => parseUptime(readFileSync('/proc/uptime', 'utf8')),
  bootId: () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
}

/** `12345.67 …` to 1234567. */
export function parseUptime(text: string): number {
  const match = /^([0-9]+)\.([0-9]{2}) /.exec(text)
  if (!match) throw new Error('/proc/uptime does not look like an uptime')
  return Number(match[1]) * 100 + Number(match[2])
}
