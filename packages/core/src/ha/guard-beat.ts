import { parseData, type DataGate } from './data.ts'
import { parsePermit, type Permit } from './permit.ts'

/**
 * `/ha/guard`: the guard's heartbeat and echo, written at every tick:
 *
 *     <running or stopped> <pid> <now> | <permit as read> | <data as read>
 *
 * `-` stands for an absent file (and for the pid when nothing runs), `?` for one whose line isn't
 * what it should be. `now` is centiseconds of the
 * guard's boot clock, read *before* permit and data were: a change counts only when a beat with a
 * later `now` echoes it.
 */
export interface GuardBeat {
  state: 'running' | 'stopped'
  pid: number | null
  now: number
  /** As read, verbatim; `-` = absent, `?` = malformed. */
  permitLine: string
  dataLine: string
  permit: Permit | undefined
  data: DataGate | undefined
}

const LINE =
  /^(?:(running) ([1-9][0-9]{0,9})|stopped -) (0|[1-9][0-9]{0,14}) \| ([^|\n]+) \| ([^|\n]+)$/

/** Undefined for anything that isn't exactly a beat. */
export function parseBeat(line: string): GuardBeat | undefined {
  const match = LINE.exec(line)
  if (!match) return undefined
  const permitLine = match[4] as string
  const dataLine = match[5] as string
  return {
    state: match[1] ? 'running' : 'stopped',
    pid: match[2] ? Number(match[2]) : null,
    now: Number(match[3]),
    permitLine,
    dataLine,
    permit: parsePermit(permitLine),
    data: parseData(dataLine),
  }
}

/**
 * True when the guard has seen `data` (a line of /ha/data), written at `since` (centiseconds),
 * and Meilisearch isn't running. An echo of an older file with the same words doesn't count.
 */
export function echoesStoppedData(
  beat: GuardBeat | undefined,
  data: string,
  since: number,
): boolean {
  return (
    beat !== undefined && beat.state === 'stopped' && beat.dataLine === data && beat.now > since
  )
}

/** The same for a line of /ha/permit: the proof a release needs. */
export function echoesStoppedPermit(
  beat: GuardBeat | undefined,
  permit: string,
  since: number,
): boolean {
  return (
    beat !== undefined && beat.state === 'stopped' && beat.permitLine === permit && beat.now > since
  )
}
