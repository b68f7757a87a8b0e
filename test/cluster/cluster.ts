import { join } from 'node:path'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { startMember, type Member, type MemberOptions } from './member.ts'

/** Some members that share a store and its lease. */
export interface Cluster extends AsyncDisposable {
  dir: string
  storeUrl: string
  store: Store
  members: Member[]
  /** Starts one more member, `m1` … in the order of their coming unless named. */
  add(name?: string, own?: Partial<MemberOptions>): Promise<Member>
  /** The member that says it is the primary; waits for it. */
  primary(timeoutMs?: number): Promise<Member>
  /** Waits until a member serves as a standby. */
  standby(member: Member, timeoutMs?: number): Promise<void>
}

/** @param each what differs from member to member, by name */
export async function startCluster(
  count: number,
  options: Partial<MemberOptions> = {},
  each: (name: string) => Partial<MemberOptions> = () => ({}),
): Promise<Cluster> {
  const root = await tempDir()
  const storeUrl = options.storeUrl ?? `file://${root.path}/store`
  const members: Member[] = []
  const add: Cluster['add'] = async (name = `m${members.length + 1}`, own = {}) => {
    const dir = join(root.path, name)
    const all = { bootstrap: 'm1', ...options, ...each(name), ...own, name, dir, storeUrl }
    const member = await startMember(all)
    members.push(member)
    return member
  }
  while (members.length < count) await add()
  return {
    dir: root.path,
    storeUrl,
    get store() {
      return openStore(storeUrl)
    },
    members,
    add,
    primary: (timeoutMs = 30_000) =>
      until('a member is primary', () => whichIsPrimary(members), { timeoutMs, everyMs: 50 }).catch(
        (error: unknown) => explain(members, error),
      ),
    standby: async (member, timeoutMs = 30_000) => {
      const serves = async () => (await member.route('/replica')) === 200
      await until(`${member.name} serves as standby`, serves, { timeoutMs, everyMs: 50 }).catch(
        (error: unknown) => explain(members, error),
      )
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map((member) => member[Symbol.asyncDispose]()))
      await root[Symbol.asyncDispose]()
    },
  }
}

async function whichIsPrimary(members: Member[]): Promise<Member | undefined> {
  const answers = await Promise.all(members.map((member) => member.route('/primary')))
  return members[answers.indexOf(200)]
}

/** A time-out alone says nothing: what the programs said does. */
function explain(members: Member[], error: unknown): never {
  throw new Error(members.map((member) => member.said()).join('\n'), { cause: error })
}
