import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMeilisearch } from '../harness/meilisearch.ts'
import { startProgram } from '../harness/process.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { has, write } from '../cluster/documents.ts'
import { lineageOf, MASTER_KEY, startMember, type Member } from '../cluster/member.ts'
import { goesOn, settled, startTrial, type Trial } from '../faults/fault-table.ts'
import { cliOf, manifestsIn } from '../uploader/programs.ts'
import { statusOf, statusRow } from './ask.ts'
import { holds } from './disk.ts'
import { LONG, PATIENT } from './patience.ts'

const SHARED = 'Two clusters must not share a prefix'
const UNKNOWN = 'Choose with --unknown-data'

describe('two clusters on one prefix: the second is refused', PATIENT, () => {
  let trial: Trial & AsyncDisposable
  let scratch: TempDir
  beforeAll(async () => {
    scratch = await tempDir()
    trial = await startTrial('L = 5 s, a second cluster on the prefix')
  })
  afterAll(async () => {
    await trial[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  })

  const start = (name: string, storeUrl: string) =>
    startMember({ name, dir: join(scratch.path, name), storeUrl, bootstrap: name })
  const rowOf = (name: string) => statusRow(trial.cluster, name)

  /** It says code and hint, starts nothing, changes nothing, and the first cluster goes on. */
  async function isRefused(what: string, stranger: Member, code: string, hint: string) {
    const [primary] = await settled(trial)
    await goesOn(trial, what, primary, async () => {
      const said = () => stranger.parts.fetcher.output()
      await until(`it says ${code}`, () => said().includes(code), LONG)
      expect(said()).toContain(hint)
      expect(await statusOf(stranger, 'fetcher')).toMatchObject({ code, ready: false })
      await until('status of the first cluster shows it', async () => {
        const row = await rowOf(stranger.name)
        return row !== '' && !row.includes(' ready ')
      })
      expect(await stranger.ha.readLine('guard')).toMatch(/^stopped /)
      expect(await stranger.route('/replica')).toBe(503)
      await write(primary, 1)
    })
    const writers = (await manifestsIn(trial.cluster.store)).map(({ writer }) => writer)
    expect(writers).not.toContain(stranger.name)
  }

  test('a member of another cluster, with its lineage', async () => {
    const { clusterId } = await (async () => {
      await using own = await start('b1', `file://${scratch.path}/own`)
      await until('it leads', async () => (await own.route('/primary')) === 200, LONG)
      await write(own, 500)
      const lineage = await until('its lineage is written', () => lineageOf(own))
      await own.powerOff()
      return lineage
    })()
    await using b1 = await start('b1', trial.cluster.storeUrl)
    await isRefused('a member of another cluster', b1, 'MEILI_HA_WRONG_CLUSTER', SHARED)
    expect(await holds(join(b1.data, 'data.ms'), 500)).toBe(true)
    expect(await lineageOf(b1)).toMatchObject({ clusterId })
  })

  test('a Meilisearch with data of its own, that never was in a cluster', async () => {
    const dbPath = join(scratch.path, 'plain', 'data.ms')
    {
      await using plain = await startMeilisearch({ dbPath, masterKey: MASTER_KEY })
      await plain.call('POST', '/indexes/books/documents?primaryKey=id', [{ id: 600 }])
      await until(
        'it is indexed',
        async () => (await plain.call('GET', '/indexes/books/documents/600')).status === 200,
      )
    }
    await cp(dbPath, join(scratch.path, 'c1', 'data', 'data.ms'), { recursive: true })
    await using c1 = await start('c1', trial.cluster.storeUrl)
    await isRefused('a plain Meilisearch with data', c1, 'MEILI_HA_DATA_DIR_UNKNOWN', UNKNOWN)
    expect(await holds(join(c1.data, 'data.ms'), 600)).toBe(true)
  })

  test('an uploader without a lease', async () => {
    const [primary] = await settled(trial)
    const data = join(scratch.path, 'd1')
    await using uploader = startProgram(cliOf('uploader'), [
      ...['publish', join(process.cwd(), 'test/fixtures/catalogue.snapshot')],
      ...['--store', trial.cluster.storeUrl, '--member', 'd1', '--data-dir', data],
    ])
    expect(await uploader.exited).toMatchObject({ code: 20 })
    expect(uploader.stderr()).toMatch(/MEILI_HA_SUPERSEDED[^]*hint: /)
    const writers = (await manifestsIn(trial.cluster.store)).map(({ writer }) => writer)
    expect(writers).not.toContain('d1')
    expect(await has(primary, 1)).toBe(true)
  })
})
