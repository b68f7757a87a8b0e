import { readFileSync } from 'node:fs'
import type { Cluster } from '../cluster/cluster.ts'
import type { Member } from '../cluster/member.ts'
import { runProgram } from './run-program.ts'

export const KILLS = ['process', 'member', 'freeze', 'switchover'] as const
export type Kill = (typeof KILLS)[number]

export interface Breakage {
  what: string
  /** Who is expected to lead afterwards. */
  expected: (old: Member, other: Member) => Member
  strike: (old: Member, cluster: Cluster) => Promise<void>
  /** Brings the broken part back. */
  heal: (old: Member) => Promise<void>
}

const other = (_old: Member, next: Member) => next
const nothing = async () => {}

/** The ways in which the demo breaks a primary. */
export const BREAKAGES: Record<Kill, Breakage> = {
  process: {
    what: 'SIGKILL to Meilisearch; its guard starts it again',
    expected: (old) => old,
    strike: async (old) => process.kill(await meilisearchPid(old), 'SIGKILL') && undefined,
    heal: nothing,
  },
  member: {
    what: 'the whole member loses its power; /ha is gone',
    expected: other,
    strike: (old) => old.powerOff(),
    heal: (old) => old.powerOn(),
  },
  freeze: {
    what: 'SIGSTOP to the lease-keeper; the guard stops Meilisearch when the permit ends',
    expected: other,
    strike: (old) => old.parts.keeper.freeze(),
    heal: async (old) => old.parts.keeper.thaw(),
  },
  switchover: {
    what: '`lease-keeper switchover`: a planned hand-over',
    expected: other,
    strike: async (_old, { storeUrl }) => {
      const lease = ['--cluster', 'test', '--lease', 'store', '--store', storeUrl]
      const said = await runProgram('lease-keeper', ['switchover', ...lease])
      process.stdout.write(said.replace(/^/gm, '    '))
    },
    heal: nothing,
  },
}

/** The pid that the guard beats with. */
async function meilisearchPid(member: Member): Promise<number> {
  const beat = await member.ha.readLine('guard')
  const pid = Number(beat?.split(' ')[1])
  // Under the stand-in the guard's child is Node itself, renamed.
  if (!readFileSync(`/proc/${pid}/comm`, 'utf8')) throw new Error('Meilisearch does not run')
  return pid
}
