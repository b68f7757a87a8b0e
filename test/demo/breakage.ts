import type { Member } from '../cluster/member.ts'
import { runProgram } from './run-program.ts'
import type { Scene } from './scene.ts'

export const KILLS = ['process', 'member', 'freeze', 'partition', 'switchover'] as const
export type Kill = (typeof KILLS)[number]

export interface Breakage {
  what: string
  /** Whether another member must lead afterwards. */
  movesOn: boolean
  /** Whether acknowledged writes that were not published yet may be lost: said, and counted. */
  mayLose: boolean
  /** What a program said that was run for it, if any. */
  strike: (old: Member, scene: Scene) => Promise<string | void>
  /** Brings the broken part back. */
  heal: (old: Member, scene: Scene) => Promise<void>
}

const nothing = async () => {}

/** The ways in which a primary is broken. */
export const BREAKAGES: Record<Kill, Breakage> = {
  process: {
    what: 'SIGKILL to Meilisearch; its guard starts it again',
    movesOn: false,
    mayLose: false,
    strike: async (old) => void process.kill(await meilisearchPid(old), 'SIGKILL'),
    heal: nothing,
  },
  member: {
    what: 'the whole member loses its power; /ha is gone',
    movesOn: true,
    mayLose: true,
    strike: (old) => old.powerOff(),
    heal: (old) => old.powerOn(),
  },
  freeze: {
    what: 'SIGSTOP to the lease-keeper; the guard stops Meilisearch when the permit ends',
    movesOn: true,
    mayLose: true,
    strike: (old) => old.parts.keeper.freeze(),
    heal: async (old) => old.parts.keeper.thaw(),
  },
  partition: {
    what: 'the member is cut off from its lease; clients still reach it',
    movesOn: true,
    mayLose: true,
    strike: async (old, scene) => scene.partition(old),
    heal: async (old, scene) => scene.heal(old),
  },
  switchover: {
    what: '`lease-keeper switchover`: a planned hand-over',
    movesOn: true,
    mayLose: false,
    strike: (old, { cluster, keeperFlags, keeperEnv }) => {
      const to = cluster.members.find((member) => member !== old)!.name
      return runProgram('lease-keeper', ['switchover', '--to', to, ...keeperFlags], keeperEnv)
    },
    heal: nothing,
  },
}

/** The pid that the guard beats with. */
async function meilisearchPid(member: Member): Promise<number> {
  const [state, pid] = (await member.ha.readLine('guard'))?.split(' ') ?? []
  if (state !== 'running') throw new Error(`the Meilisearch of ${member.name} does not run`)
  return Number(pid)
}
