import pino, { type Logger } from 'pino'
import type { Host } from '../cli/host.ts'

export interface LogOptions {
  logLevel: string
  logFormat?: 'pretty' | 'json'
}

/**
 * One event per line on stderr, so that stdout stays what a command prints. Each line carries a
 * stable `event`; pretty for people, JSON for machines.
 */
export async function createLogger(
  host: Pick<Host, 'stderr'>,
  program: string,
  options: LogOptions,
): Promise<Logger> {
  const format = options.logFormat ?? (host.stderr.isTTY ? 'pretty' : 'json')
  const settings = {
    name: program,
    level: options.logLevel,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err },
  }
  if (format === 'json') return pino(settings, host.stderr)
  // Loaded only where it is shown: it costs a container 5 MiB for nothing.
  const { default: pretty } = await import('pino-pretty')
  const stream = pretty({
    colorize: host.stderr.isTTY === true,
    ignore: 'pid,hostname,program,event',
    translateTime: 'HH:MM:ss.l',
    singleLine: true,
    destination: host.stderr,
    sync: true,
  })
  return pino(settings, stream)
}
