import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { until } from '../harness/until.ts'
import { manifestsIn } from '../uploader/programs.ts'
import { has, write } from '../cluster/documents.ts'
import { failsOver, goesOn, settled, startTrial, termOf, type Trial } from './fault-table.ts'
import { lineageOf, type Member } from '../cluster/member.ts'

/** Longer than the tests need, so that what they show isn't the lease running out. */
const LEASE = '15s'

describe('a primary keeps its lease while', () => {
  let trial: Trial & AsyncDisposable
  beforeAll(async () => {
    trial = await startTrial('L = 15 s, lease in a directory', { leaseDuration: LEASE })
  })
  afterAll(() => trial[Symbol.asyncDispose]())
  // One that fails half-way leaves nothing frozen for the next.
  afterEach(() => {
    for (const { parts } of trial.cluster.members) {
      for (const part of Object.values(parts)) part.thaw()
    }
  })

  const isPrimary = (member: Member) => async () => (await member.route('/primary')) === 200
  /** Its Meilisearch first: for a tick of the keeper what it says is of the one before. */
  async function servesAgain(member: Member): Promise<void> {
    const answers = async () => (await member.call('GET', '/health')).status === 200
    await until('Meilisearch answers', answers, { timeoutMs: 30_000 })
    await until('the keeper says so', isPrimary(member), { timeoutMs: 30_000 })
  }
  const newestOf = async () => (await manifestsIn(trial.cluster.store))[0]?.id
  /** What is written now is published, and so reaches the standby. */
  async function publishes(primary: Member, id: number): Promise<void> {
    const before = await newestOf()
    await write(primary, id)
    await until('a snapshot is published', async () => (await newestOf()) !== before, {
      timeoutMs: 30_000,
    })
  }

  test('its keeper alone is killed and comes back: it goes on in its epoch', async () => {
    const [primary] = await settled(trial)
    const permit = await primary.ha.readLine('permit')
    await goesOn(trial, 'restart of the keeper alone', primary, async () => {
      await primary.restart('keeper')
      await until('the keeper says so', isPrimary(primary), { timeoutMs: 30_000 })
    })
    // Not the deadline in force, but one that it renewed itself.
    expect(await primary.ha.readLine('permit')).not.toBe(permit)
  })

  test('its keeper stands still for less than the term', async () => {
    const [primary] = await settled(trial)
    await goesOn(trial, 'keeper frozen for 4 s', primary, async () => {
      await primary.parts.keeper.freeze()
      await new Promise((resolve) => setTimeout(resolve, 4000))
      primary.parts.keeper.thaw()
      const permit = await primary.ha.readLine('permit')
      await until('it renews', async () => (await primary.ha.readLine('permit')) !== permit)
    })
  })

  test.each(['fetcher', 'uploader'] as const)('its %s is killed and comes back', async (part) => {
    const [primary] = await settled(trial)
    await goesOn(trial, `SIGKILL the ${part}`, primary, async () => {
      await primary.stop(part)
      await write(primary, 10)
      await primary.restart(part)
      await publishes(primary, 11)
    })
  })

  test.each(['fetcher', 'uploader'] as const)('its %s freezes and thaws', async (part) => {
    const [primary] = await settled(trial)
    await goesOn(trial, `SIGSTOP the ${part}`, primary, async () => {
      await primary.parts[part].freeze()
      await write(primary, 20)
      expect(await primary.route('/primary')).toBe(200)
      primary.parts[part].thaw()
      await publishes(primary, 21)
    })
  })

  test('the standby loses any of its processes, and serves again with each', async () => {
    const [primary, standby] = await settled(trial)
    await goesOn(trial, 'SIGKILL, SIGSTOP of each process of the standby', primary, async () => {
      for (const part of ['keeper', 'guard', 'fetcher', 'uploader'] as const) {
        await standby.parts[part].freeze()
        standby.parts[part].thaw()
        await standby.restart(part)
        await trial.cluster.standby(standby, 45_000)
      }
      await publishes(primary, 30)
      await until('the standby has it', () => has(standby, 30), { timeoutMs: 30_000 })
    })
  })

  test('a standby goes on serving reads without its fetcher, its uploader or its keeper', async () => {
    const [primary, standby] = await settled(trial)
    const serving = async () => (await standby.call('GET', '/health')).status
    await goesOn(trial, 'standby without its sidecars', primary, async () => {
      for (const part of ['fetcher', 'uploader', 'keeper'] as const) {
        await standby.stop(part)
        expect(await serving()).toBe(200)
      }
      for (const part of ['fetcher', 'uploader', 'keeper'] as const) await standby.restart(part)
      await trial.cluster.standby(standby, 45_000)
    })
  })

  test('its guard dies with all of its container and comes back within the term', async () => {
    const [primary] = await settled(trial)
    const { epoch, pid } = termOf(trial, primary)
    const from = systemBootClock.now()
    await primary.restart('guard')
    const again = await until('it runs anew', () => runsAnew(primary, pid), { timeoutMs: 30_000 })
    await servesAgain(primary)
    expect(again.epoch).toBe(epoch)
    trial.table.add("restart of the guard's container", from, again.from, again.from)
    expect(trial.watch.violations).toEqual([])
  })

  test('its Meilisearch crashes: the guard starts it again within a second', async () => {
    const [primary, standby] = await settled(trial)
    await write(primary, 40)
    const { epoch, pid } = termOf(trial, primary)
    const from = systemBootClock.now()
    process.kill(pid, 'SIGKILL')
    const again = await until('it runs anew', () => runsAnew(primary, pid))
    expect(again.epoch).toBe(epoch)
    expect(again.from - from).toBeLessThan(100)
    await servesAgain(primary)
    expect(await has(primary, 40)).toBe(true)
    expect((await lineageOf(standby))['primaryIn']).not.toContain(epoch)
    trial.table.add('crash of Meilisearch', from, from, again.from)
  })

  test('but not when its Meilisearch crashes again and again', async () => {
    const [primary] = await settled(trial)
    await failsOver(trial, 'crash loop of Meilisearch', primary, async () => {
      const { epoch } = termOf(trial, primary)
      const killed = new Set<number>()
      const steppedDown = () => {
        const { pid, until: dead } = trial.watch.terms.findLast(
          ({ member }) => member === primary.name,
        )!
        if (dead === undefined && !killed.has(pid)) {
          killed.add(pid)
          process.kill(pid, 'SIGKILL')
        }
        return hasSteppedDown(primary, epoch)
      }
      await until('it steps down', steppedDown, { timeoutMs: 45_000 })
      // Not as one that was unhealthy for --unhealthy-after, which takes three times as long.
      expect(primary.parts.keeper.output()).toContain('Meilisearch crashes again and again')
    })
    await trial.cluster.standby(primary, 45_000)
  })

  function runsAnew(member: Member, pid: number) {
    const last = trial.watch.terms.findLast((term) => term.member === member.name)
    return last && last.pid !== pid ? last : undefined
  }

  async function hasSteppedDown(member: Member, epoch: number): Promise<boolean> {
    const permit = await member.ha.readLine('permit')
    return permit === undefined || !permit.startsWith(`primary ${epoch} `)
  }
})
