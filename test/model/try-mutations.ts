import fc from 'fast-check'
import { anyHistory, live } from './history.ts'
import { MUTATIONS } from './mutations.ts'
const runs = Number(process.argv[2] ?? 300),
  seed = Number(process.argv[3] ?? 5),
  only = process.argv[4]
for (const [name, v] of Object.entries(MUTATIONS)) {
  if (only && !name.includes(only)) continue
  const started = Date.now()
  const r = fc.check(
    fc.property(anyHistory, (h) => void live(h, v)),
    { numRuns: runs, seed, endOnFailure: true },
  )
  console.log(
    r.failed ? `caught ${r.numRuns}` : 'SURVIVES',
    name,
    ((Date.now() - started) / 1000).toFixed(1),
    (r as any).errorInstance?.message ?? '',
  )
}
