import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../harness/free-port.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import type { Bench } from './bench.ts'
import { costOf } from './columns.ts'
import { measure, processCost } from './measure.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'

const BARE = 'node -e 0'
/** What no program that answers `/healthz` and speaks TLS can be below: Node's own modules for it. */
const SERVER = 'bare Node that answers'
const SERVE = `const { createServer } = require('node:http'); require('node:https')
createServer((_, answer) => answer.end()).listen(+process.argv[1].split(':')[1], '127.0.0.1')`

const OURS = ['uploader run', 'fetcher follow', 'lease-keeper run'] as const

export const start: Scenario = {
  name: 'start',
  sentence: 'from exec until each program answers /healthz; file:// store, compile cache warm',
  columns: [
    { name: 'wall', unit: 's', digits: 3, spread: true },
    { name: 'CPU', unit: 's', digits: 2 },
  ],
  goals: OURS.map((how) => ({ column: 'wall', how, against: BARE, most: 3 })),
  run: async (bench, record) => {
    // The first start of each compiles; a container that restarts finds that done.
    const rounds = bench.quick ? 1 : bench.runs * 3
    for (let run = 0; run <= rounds; run++) await startAll(bench, record, run)
  },
}

async function startAll({ programs, ...bench }: Bench, record: Recorder, run: number) {
  const directory = await bench.directory(`start-${run}`)
  const what = 'cold start'
  await mkdir(join(directory, 'ha'))
  const data = ['--store', `file://${directory}/store`, '--data-dir', `${directory}/data`]
  const member = [...data, '--member', 'm1', '--lease']
  const commands = {
    'uploader run': [programs.uploader, 'run', ...member, 'none'],
    'fetcher follow': [
      ...[programs.fetcher, 'follow', ...member, 'none', '--ha-dir', `${directory}/ha`],
    ],
    'lease-keeper run': [
      ...[programs['lease-keeper'], 'run', ...member, 'store', '--ha-dir', `${directory}/ha`],
      ...['--cluster', 'bench'],
    ],
  }
  for (const how of OURS) {
    const time = () => timeToHealthy((listen) => [...commands[how], '--listen', listen])
    if (run === 0) await time()
    else await record.attempt({ what, how, ours: true }, time)
  }
  if (run === 0) return
  // The store is proven after it answers /healthz: before that nobody leads.
  await record.attempt({ what, how: 'lease-keeper run, its lease open' }, () =>
    timeToHealthy((on) => [...commands['lease-keeper run'], '--listen', on], '/status'),
  )
  await record.attempt({ what, how: SERVER }, () => timeToHealthy((on) => ['-e', SERVE, on]))
  await record.attempt({ what, how: BARE }, async () => {
    const { wall = 0, CPU = 0 } = costOf(await measure([process.execPath, '-e', '0'], process.env))
    return { wall, CPU }
  })
}

async function timeToHealthy(commandOn: (listen: string) => string[], path = '/healthz') {
  const listen = `127.0.0.1:${await freePort()}`
  const began = performance.now()
  await using program = startProcess({
    command: [process.execPath, ...commandOn(listen)],
  })
  const healthy = async () => {
    if (!program.running()) return 'ended'
    return (await fetch(`http://${listen}${path}`)).ok && 'healthy'
  }
  const answer = await until('it is healthy', healthy, { timeoutMs: 60_000, everyMs: 2 })
  if (answer === 'ended') throw new Error(program.output())
  const wall = (performance.now() - began) / 1000
  return { wall, CPU: (processCost(program.pid)?.cpuMs ?? 0) / 1000 }
}
