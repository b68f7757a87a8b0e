import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { newestRecord } from './newest-record.ts'
import { failsOver, settled, startTrial, termOf, type Trial } from './fault-table.ts'
import type { Member } from '../cluster/member.ts'

describe('a primary loses its lease, and never serves beside its successor, when', () => {
  let scratch: TempDir
  let trial: Trial & AsyncDisposable
  /** While this file is there, the stand-in's /health doesn't answer. */
  const hangFile = (name: string) => join(scratch.path, `hang-${name}`)

  beforeAll(async () => {
    scratch = await tempDir()
    const flags = { keeper: ['--unhealthy-after', '2s'] }
    trial = await startTrial('L = 5 s, lease in a directory', { flags }, (name) => ({
      env: { STAND_IN_HANG_HEALTH_WHILE: hangFile(name) },
    }))
  })
  afterAll(async () => {
    await trial[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  })

  test('its keeper freezes; thawed it follows and resurrects nothing', async () => {
    const [primary] = await settled(trial)
    await failsOver(trial, 'SIGSTOP the keeper', primary, () => primary.parts.keeper.freeze())
    expect(await primary.ha.readLine('guard')).toMatch(/^stopped - .* \| primary /)
    primary.parts.keeper.thaw()
    await followsAgain(trial.cluster, primary)
  })

  test('its keeper is killed and stays away; started again it follows', async () => {
    const [primary] = await settled(trial)
    await failsOver(trial, 'SIGKILL the keeper', primary, () => primary.stop('keeper'))
    await primary.restart('keeper')
    await followsAgain(trial.cluster, primary)
  })

  test('its guard is killed with all of its container and stays away', async () => {
    const [primary] = await settled(trial)
    await failsOver(trial, "SIGKILL the guard's container", primary, () => primary.stop('guard'))
    await primary.restart('guard')
    await followsAgain(trial.cluster, primary)
  })

  test('its guard freezes: no more is promised to it, and thawed it stops Meilisearch', async () => {
    const [primary] = await settled(trial)
    const { pid } = termOf(trial, primary)
    trial.watch.excuse(primary.name, true)
    await failsOver(trial, 'SIGSTOP the guard (its Meilisearch lives on)', primary, () =>
      primary.parts.guard.freeze(),
    )
    primary.parts.guard.thaw()
    await until('its Meilisearch is stopped', () =>
      trial.watch.terms.some((term) => term.pid === pid && term.until !== undefined),
    )
    trial.watch.excuse(primary.name, false)
    await followsAgain(trial.cluster, primary)
  })

  test('its whole host is paused for longer than L: thawed it stops within a second', async () => {
    const [primary] = await settled(trial)
    const { pid } = termOf(trial, primary)
    trial.watch.excuse(primary.name, true)
    await failsOver(trial, 'host paused (its Meilisearch with it)', primary, async () => {
      process.kill(pid, 'SIGSTOP')
      await Promise.all(Object.values(primary.parts).map((part) => part.freeze()))
    })
    const thawedAt = systemBootClock.now()
    process.kill(pid, 'SIGCONT')
    Object.values(primary.parts).forEach((part) => part.thaw())
    const old = trial.watch.terms.find((term) => term.pid === pid)!
    expect((await until('it is dead', () => old.until)) - thawedAt).toBeLessThan(100)
    trial.watch.excuse(primary.name, false)
    await followsAgain(trial.cluster, primary)
  })

  test('its keeper freezes, and its Meilisearch ignores SIGTERM: it is killed at kill-at', async () => {
    const [primary] = await settled(trial)
    const { pid } = termOf(trial, primary)
    await failsOver(trial, 'SIGSTOP the keeper and Meilisearch', primary, async () => {
      await primary.parts.keeper.freeze()
      process.kill(pid, 'SIGSTOP')
    })
    primary.parts.keeper.thaw()
    await followsAgain(trial.cluster, primary)
  })

  test('its Meilisearch freezes, which no SIGTERM ends: it is killed before the release', async () => {
    const [primary] = await settled(trial)
    const term = termOf(trial, primary)
    await failsOver(trial, 'SIGSTOP Meilisearch, --unhealthy-after 2s', primary, async () => {
      process.kill(term.pid, 'SIGSTOP')
      const released = async () => (await newestRecord(trial.cluster)).released === term.epoch
      await until('the lease is released', released, { timeoutMs: 30_000 })
      trial.watch.look()
      expect(term.until).toBeDefined()
    })
    await followsAgain(trial.cluster, primary)
  })

  test('its Meilisearch answers no health check for --unhealthy-after', async () => {
    const [primary] = await settled(trial)
    const { pid } = termOf(trial, primary)
    await failsOver(trial, 'hanging /health, --unhealthy-after 2s', primary, async () => {
      // A real one has no knob: it answers nothing at all. The guard's SIGKILL reaches it all the same.
      if (process.env['MEILISEARCH_BIN']) process.kill(pid, 'SIGSTOP')
      else await writeFile(hangFile(primary.name), '')
    })
    await rm(hangFile(primary.name), { force: true })
    await followsAgain(trial.cluster, primary)
  })
})

async function followsAgain(cluster: Cluster, member: Member): Promise<void> {
  await cluster.standby(member, 45_000)
  expect(await member.ha.readLine('permit')).toMatch(/^standby /)
}
