import { formatId } from '@meili-ha/core/catalog/names.ts'
import type { Entry, ManifestSeen, TermSeen, Write } from './history.ts'

const LEASE_MS = 5000
export const LAG_MS = 10_000

/** A cluster that keeps its promises, told step by step: its `entries` are a valid history. */
export class Story {
  readonly entries: Entry[] = [
    {
      kind: 'start',
      at: '2026-11-25T12:00:00.000Z',
      seed: 1,
      members: ['m1', 'm2', 'm3'],
      leaseMs: LEASE_MS,
      lagMs: LAG_MS,
    },
  ]
  now = 1000
  /** What the leader's directory holds. */
  #held: Write[] = []
  #term: TermSeen
  #newest: ManifestSeen
  /** What each published tarball holds. */
  readonly #contents = new Map<string | null, Write[]>([[null, []]])
  #seq = 0
  #written = 0

  constructor(leader = 'm1') {
    this.#newest = this.#claim(1, leader, null, null)
    this.#term = this.#begin(leader, 1)
  }

  get leader(): string {
    return this.#term.member
  }

  get epoch(): number {
    return this.#term.epoch
  }

  pass(ms: number): void {
    this.now += ms
  }

  write(): Write {
    this.now += 20
    const value = ++this.#written
    const write: Write = {
      kind: 'write',
      client: 'w1',
      id: `d-${value}`,
      register: 'r1',
      value,
      member: this.leader,
      invoked: this.now,
      completed: this.now + 5,
      outcome: 'ok',
      taskUid: this.#held.length,
    }
    this.now += 10
    this.#held.push(write)
    this.entries.push(write)
    return write
  }

  /** The primary publishes what it holds. */
  snapshot(final = false): ManifestSeen {
    this.now += 300
    const startedAt = this.now
    const tarball = `t-${this.epoch}-${++this.#seq}`
    this.#contents.set(tarball, [...this.#held])
    const manifest: ManifestSeen = {
      ...this.#manifest(this.epoch, this.#seq, this.leader, tarball),
      final,
      startedAt,
      finishedAt: startedAt + 100,
      lastTaskUid: this.#held.length - 1,
      seenAt: startedAt + 200,
    }
    this.now += 300
    this.#newest = manifest
    this.entries.push(manifest)
    return manifest
  }

  /** A reader is sent to the primary, or to a standby that holds the newest snapshot. */
  read(route: 'primary' | 'reads'): void {
    this.now += 20
    const held = route === 'primary' ? this.#held : this.#contents.get(this.#newest.tarball)!
    const member = route === 'primary' ? this.leader : this.leader === 'm1' ? 'm2' : 'm1'
    const value = held.at(-1)?.value ?? 0
    const times = { invoked: this.now, completed: this.now + 5 }
    this.entries.push({
      ...{ kind: 'read', client: 'c1', register: 'r1', value, member, route },
      ...times,
    })
    this.now += 10
  }

  /** The primary dies; another goes on with what was published. */
  crash(to: string): void {
    const renewedAt = this.now
    this.#fails('power-off', this.leader, this.now + 500)
    this.#over(this.now + LEASE_MS)
    const started = this.#newest.startedAt
    const lossMs = started === null ? null : Math.max(0, renewedAt - started)
    this.#goesOn(to, lossMs)
  }

  /** A switch-over: nothing is lost. */
  handOver(to: string): void {
    const from = this.now
    this.snapshot(true)
    this.#over(this.now + 100)
    this.#goesOn(to, 0)
    this.#fault('switchover', null, from, this.now, { handedOverTo: this.epoch })
  }

  /** All is healed, and every member holds what the leader does. */
  end(): Entry[] {
    this.now += 1000
    this.entries.push(this.#term)
    const ids = this.#held.map(({ id }) => id)
    for (const member of ['m1', 'm2', 'm3'])
      this.entries.push({ kind: 'final', member, ids: [...ids] })
    return this.entries
  }

  #fails(name: string, member: string, until: number): void {
    this.#fault(name, member, this.now, until)
  }

  #fault(fault: string, member: string | null, from: number, until: number, more = {}): void {
    this.entries.push({ kind: 'fault', fault, member, from, until, ...more })
  }

  #over(next: number): void {
    this.#term.until = this.now + 10
    this.entries.push(this.#term)
    this.now = next
  }

  #goesOn(leader: string, lossMs: number | null): void {
    const epoch = this.epoch + 1
    const { tarball, id } = this.#newest
    this.entries.push({ kind: 'lease', epoch, after: this.now - 100, at: this.now })
    this.now += 100
    const { startedAt, finishedAt, lastTaskUid } = this.#newest
    const claim = this.#claim(epoch, leader, id, tarball)
    this.#newest = Object.assign(claim, { startedAt, finishedAt, lastTaskUid })
    this.#held = [...this.#contents.get(tarball)!]
    this.#seq = 0
    this.entries.push({ kind: 'promoted', member: leader, epoch, lossMs })
    this.#term = this.#begin(leader, epoch)
  }

  #begin(member: string, epoch: number): TermSeen {
    this.now += 50
    const term: TermSeen = { kind: 'term', member, epoch, from: this.now, until: null }
    this.now += 300
    return term
  }

  #claim(epoch: number, writer: string, of: string | null, tarball: string | null): ManifestSeen {
    const claim: ManifestSeen = { ...this.#manifest(epoch, 0, writer, tarball), of }
    this.entries.push(claim)
    return claim
  }

  #manifest(epoch: number, seq: number, writer: string, tarball: string | null): ManifestSeen {
    return {
      ...{ kind: 'manifest', seenAt: this.now, id: formatId({ epoch, seq }), epoch, seq, writer },
      ...{ tarball, final: false, startedAt: null, finishedAt: null, lastTaskUid: null },
    }
  }
}
