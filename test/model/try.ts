import fc from 'fast-check'
import { anyHistory, live } from './history.ts'
const runs = Number(process.argv[2] ?? 50),
  seed = Number(process.argv[3] ?? 1)
const started = Date.now()
let terms = 0,
  drained = 0,
  n = 0
const r = fc.check(
  fc.property(anyHistory, (h) => {
    const w = live(h)
    n++
    terms += w.promises.terms
    drained += w.promises.drained
  }),
  { numRuns: runs, seed, endOnFailure: process.argv[4] === 'quick' },
)
console.log(
  r.failed ? r.counterexample : 'ok',
  (r as any).errorInstance?.message ?? '',
  (r as any).errorInstance?.stack?.split('\n').slice(0, 8).join('\n'),
)
if (r.failed) console.log(JSON.stringify(r.counterexample![0]))
console.log({
  n,
  terms: terms / n,
  drained: drained / n,
  perSecond: n / ((Date.now() - started) / 1000),
  shrinks: r.numShrinks,
})
