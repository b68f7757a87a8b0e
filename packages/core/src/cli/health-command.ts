import { request } from 'node:http'
import { Command } from 'commander'
import { MeiliHaError, messageOf } from '../errors.ts'
import { commonFlags } from './common-flags.ts'
import type { Host } from './host.ts'
import type { ListenAddress } from './units.ts'

/** `health`: asks the running program's own `/healthz`; exit 0 or 1. For container health checks. */
export function healthCommand(host: Host, port: number): Command {
  return new Command('health')
    .description("Ask the running program's /healthz; exit 0 when it is well.")
    .addOption(commonFlags(host).listen(port).helpGroup('Options:'))
    .action(async (options: { listen: ListenAddress }) => {
      if (options.listen === 'off')
        throw new MeiliHaError('USAGE', '--listen is off: nothing to ask')
      const { host: address = '127.0.0.1', port: target } = options.listen
      const { status, body } = await get(address, target).catch((cause: unknown) => {
        throw new MeiliHaError('TIMEOUT', `nobody answers on port ${target}: ${messageOf(cause)}`, {
          hint: 'Is the program running, with the same --listen?',
        })
      })
      host.stdout.write(body)
      if (status !== 200) {
        throw new MeiliHaError('TIMEOUT', 'it says that it is not well', {
          hint: 'Its log and /status say why.',
        })
      }
    })
}

/** One request with a deadline shorter than any probe's. */
function get(host: string, port: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(2000)
    const req = request({ host, port, path: '/healthz', signal }, (res) => {
      let body = ''
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        body += chunk
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end()
  })
}
