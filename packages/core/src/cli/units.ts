import { InvalidArgumentError } from 'commander'

const DURATION = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `15s`, `1m30s`, `500ms`, `0` to milliseconds. A bare number other than 0 is refused: of what? */
export function parseDuration(text: string): number {
  if (text === '0' || text === 'off') return 0
  if (!/^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+$/.test(text)) {
    throw new InvalidArgumentError('expected a duration such as 15s, 5m or 1h30m.')
  }
  let total = 0
  for (const [, value, unit] of text.matchAll(/([0-9.]+)(ms|s|m|h|d)/g)) {
    total += Number(value) * DURATION[unit as keyof typeof DURATION]
  }
  return Math.round(total)
}

/** Milliseconds as a person says them: `850 ms`, `3.2 s`, `4m 05s`, `2h 10m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60)
    return `${minutes}m ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')}s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

const SIZE = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in decimal units, three digits: `1.31 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < SIZE.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${SIZE[unit]}`
}

/** `20%` or `20` to 0.2. */
export function parsePercent(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*%?$/.exec(text)
  const value = Number(match?.[1]) / 100
  if (!match || value <= 0 || value > 1) {
    throw new InvalidArgumentError('expected a percentage such as 20%.')
  }
  return value
}

export function parseCount(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.')
  return Number(text)
}

/** 0 (stored) to 9. */
export function parseGzipLevel(text: string): number {
  if (!/^[0-9]$/.test(text)) throw new InvalidArgumentError('expected a level from 0 to 9.')
  return Number(text)
}

/** Where a server listens; commander turns a null into '', so `off` is a word. */
export type ListenAddress = { host: string | undefined; port: number } | 'off'

/** `:7711`, `127.0.0.1:0`, `[::1]:7711`; `off` = don't listen. */
export function parseListen(text: string): ListenAddress {
  if (text === 'off') return 'off'
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new InvalidArgumentError('expected HOST:PORT, :PORT or off.')
  }
  return { host: match[1] ?? (match[2] || undefined), port }
}
