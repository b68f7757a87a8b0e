import { readFileSync } from 'node:fs'
import { live, type History } from './history.ts'
import { MUTATIONS } from './mutations.ts'
import { REAL } from './variation.ts'
import { World } from './world.ts'
const h: History = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const v = process.argv[3]
  ? MUTATIONS[Object.keys(MUTATIONS).find((k) => k.includes(process.argv[3]!))!]!
  : REAL
const from = Number(process.argv[4] ?? 0)
let world: World | undefined
const last = new Map<string, string>()
const see = World.prototype.seePhase
World.prototype.seePhase = function (m, s) {
  world = this
  see.call(this, m, s)
  const line =
    `${s.phase.name} perm=${m.ha.permit?.line} want=${m.ha.want} rec=${s.lease.seen?.record.holder} e${s.lease.seen?.record.epoch} rel=${s.lease.seen?.record.released} run=${m.running?.role}${m.running?.epoch} pin=${m.ha.sync?.primaryIn} claim=${JSON.stringify(m.ha.sync?.claim)} ready=${m.ha.sync?.ready} holds=${m.ha.sync?.holds?.id} newest=${m.ha.sync?.newest} ack=${m.ha.sync?.acknowledged} fail=${m.ha.sync?.failed?.message} pubfail=${m.ha.published?.failed?.message}`.replace(
      /primary (\d+) \d+ \d+/,
      'primary $1',
    )
  if (last.get(m.name) !== line && this.simulation.now / 100 > from) {
    last.set(m.name, line)
    console.log(this.simulation.now / 100, m.name, line)
  }
}
for (const f of h.faults.toSorted((a, b) => a.at - b.at))
  console.log((f.at + 2500) / 100, f.kind, 'm' + (f.member % h.members.length), f.length / 100)
try {
  live(h, v)
  console.log('OK')
} catch (e) {
  console.log((e as Error).message)
}
for (const m of world!.members) {
  const s = world!.states.get(m)!
  console.log(
    m.name,
    JSON.stringify(
      {
        phase: s.phase,
        pod: s.pod,
        disk: {
          ...m.disk,
          live: m.disk.live?.lineage,
          next: m.disk.next?.lineage,
          setAside: m.disk.setAside.length,
        },
        sync: m.ha.sync,
        beat: m.ha.beat,
        lease: s.lease,
      },
      (_, x) => (typeof x === 'bigint' ? '…' : x),
    ),
  )
}
console.log(
  world!.store.manifests
    .map((m) => `${m.id}${m.of !== undefined ? ' of ' + m.of : ''} ${m.writer}`)
    .join('\n'),
)
