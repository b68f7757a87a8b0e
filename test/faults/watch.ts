import { readFileSync } from 'node:fs'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { parsePermit } from '@meili-ha/core/ha/permit.ts'

/** One Meilisearch that ran under a primary permit; times in centiseconds of boot time. */
export interface Term {
  member: string
  epoch: number
  pid: number
  from: number
  /** When its process was first seen dead; undefined = it lives. */
  until: number | undefined
  /** The last moment that any permit of this term allowed. */
  killAt: number
}

/** Looks at every member many times a second and notes each moment that breaks a promise. */
export interface Watch extends Disposable {
  terms: Term[]
  /** What was seen that may never be. */
  violations: string[]
  /** The design says so: while its guard is frozen nobody stops this member's Meilisearch. */
  excuse(member: string, excused: boolean): void
  /** One look; the timer does it every 20 ms. */
  look(): void
}

export interface Watched {
  name: string
  ha: { path: string }
}

/** A Meilisearch may be seen so much longer than its permit: a guard's tick, and the time to reap it. */
const TOLERANCE = 25
const EVERY_MS = 20

/**
 * Watches the promise that at no instant two members serve as primary. A member counts while a
 * permit in its `/ha` is in force *or* a process lives that ever ran under one: what a guard merely
 * says of itself isn't believed.
 */
export function startWatch(members: readonly Watched[], now = () => systemBootClock.now()): Watch {
  const terms: Term[] = []
  const violations: string[] = []
  const excused = new Set<string>()
  const running = (name: string) =>
    terms.findLast(({ member, until }) => member === name && until === undefined)

  const lookAt = ({ name, ha }: Watched): number | undefined => {
    const beat = parseBeat(lineOf(`${ha.path}/guard`))
    const permit = parsePermit(lineOf(`${ha.path}/permit`))
    const at = now()
    let term = running(name)
    if (term && !lives(term.pid)) {
      term.until = at
      term = undefined
    }
    const says = beat?.state === 'running' && beat.permit?.role === 'primary' ? beat.permit : null
    if (says && beat?.pid && lives(beat.pid)) {
      if (!term || term.pid !== beat.pid) {
        term = {
          member: name,
          epoch: says.epoch,
          pid: beat.pid,
          from: at,
          until: undefined,
          killAt: 0,
        }
        terms.push(term)
      }
      term.killAt = Math.max(term.killAt, says.killAt)
    }
    if (term && !excused.has(name) && at > term.killAt + TOLERANCE) {
      const late = at - term.killAt
      violations.push(`${name}: pid ${term.pid} runs ${late} cs beyond its permit`)
    }
    const permitted = permit?.role === 'primary' && at < permit.killAt ? permit.epoch : undefined
    return permitted ?? (term && !excused.has(name) ? term.epoch : undefined)
  }
  const look = () => {
    const primaries = members
      .map((member) => ({ name: member.name, epoch: lookAt(member) }))
      .filter(({ epoch }) => epoch !== undefined)
    if (primaries.length > 1) {
      violations.push(primaries.map(({ name, epoch }) => `${name} leads ${epoch}`).join(' while '))
    }
  }
  const timer = setInterval(look, EVERY_MS)
  return {
    terms,
    violations,
    excuse: (member, on) => void (on ? excused.add(member) : excused.delete(member)),
    look,
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

function lineOf(path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    return text.slice(0, Math.max(0, text.indexOf('\n')))
  } catch {
    return ''
  }
}

/** Neither gone nor a zombie. */
function lives(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
