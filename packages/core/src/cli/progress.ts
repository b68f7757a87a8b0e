import type { Logger } from 'pino'
import type { Host } from './host.ts'
import { formatBytes, formatDuration } from './units.ts'

/** Shows how far a long piece of work is: one living line on a terminal, log events elsewhere. */
export interface Progress {
  add(bytes: number): void
  /** Clears the line. */
  end(): void
}

const TERMINAL_INTERVAL_MS = 100
/** Quiet enough for a log that is kept, frequent enough to see that it moves. */
const LOG_INTERVAL_MS = 10_000

/**
 * @param what a verb for people: `upload`, `verify`, `restore`
 * @param totalBytes undefined when it isn't known beforehand
 * @param now milliseconds of a monotonic clock
 */
export function startProgress(
  host: Pick<Host, 'stderr'>,
  log: Logger,
  what: string,
  totalBytes: number | undefined,
  now: () => number = () => performance.now(),
): Progress {
  const startedAt = now()
  const terminal = host.stderr.isTTY === true
  let saidAt = startedAt
  let bytes = 0

  const say = () => {
    const elapsedMs = Math.max(1, now() - startedAt)
    const bytesPerSecond = Math.round((bytes * 1000) / elapsedMs)
    const etaMs =
      totalBytes === undefined || bytes === 0
        ? undefined
        : Math.max(0, ((totalBytes - bytes) * elapsedMs) / bytes)
    if (!terminal) {
      log.info({ event: 'progress', what, bytes, totalBytes, bytesPerSecond, etaMs }, what)
      return
    }
    const share = totalBytes ? `${Math.floor((bytes * 100) / totalBytes)}% of ` : ''
    const eta = etaMs === undefined ? '' : `, ${formatDuration(etaMs)} left`
    const total = formatBytes(totalBytes ?? bytes)
    host.stderr.write(`\r\u001b[K${what}: ${share}${total}, ${formatBytes(bytesPerSecond)}/s${eta}`)
  }

  return {
    add(more) {
      bytes += more
      if (now() - saidAt < (terminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS)) return
      saidAt = now()
      say()
    },
    end() {
      if (terminal) host.stderr.write('\r\u001b[K')
    },
  }
}
