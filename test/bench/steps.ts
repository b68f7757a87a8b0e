import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { MIB, type Bench } from './bench.ts'
import { costOf } from './columns.ts'
import { measure } from './measure.ts'
import type { Scenario } from './scenario.ts'
import { STEPS } from './step-names.ts'

export const steps: Scenario = {
  name: 'steps',
  sentence:
    'what publish and restore are made of, each step alone, per GiB: the limits of this machine',
  columns: [
    { name: 'wall', unit: 's/GiB', digits: 2, spread: true },
    { name: 'CPU', unit: 's/GiB', digits: 2 },
    { name: 'rate', unit: 'MiB/s', digits: 0 },
  ],
  run: async (bench, record) => {
    const directory = await bench.directory('steps')
    const size = bench.sizes[0] ?? 1024
    const file = await bench.snapshot(size)
    await using sink = await startSink()
    // The start of a process is no step.
    const bare = await cost(bench, ['nothing', file, directory, sink.url])
    for (let run = 1; run <= bench.runs; run++) {
      for (const [name, how] of Object.entries(STEPS)) {
        await record.attempt({ what: `${size} MiB`, how, ours: true }, async () => {
          const out = join(directory, `${name}-${run}`)
          await mkdir(out)
          const { wall = 0, CPU = 0 } = await cost(bench, [name, file, out, sink.url])
          const seconds = Math.max(wall - (bare['wall'] ?? 0), 0.001)
          const perGiB = 1024 / size
          return {
            wall: seconds * perGiB,
            CPU: Math.max(CPU - (bare['CPU'] ?? 0), 0) * perGiB,
            rate: size / seconds,
          }
        })
      }
    }
  },
}

async function cost(bench: Bench, args: string[]) {
  return costOf(await measure([process.execPath, bench.programs.step, ...args], process.env))
}

/** Takes whatever is sent and forgets it; sends as many bytes as it is asked for. */
async function startSink() {
  const block = Buffer.alloc(4 * MIB)
  const server = createServer((request, response) => {
    request.resume()
    request.once('end', () => response.end(request.method === 'GET' ? block : undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
