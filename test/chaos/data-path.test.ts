import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { Chaos } from './chaos.ts'
import { originals, type Original } from './originals.ts'
import { Random } from './random.ts'
import { troubledDirectory, troubledS3, type TroubledStore } from './troubled-store.ts'

const seed = Number(process.env['MEILI_HA_CHAOS_SEED'] ?? Date.now() % 2 ** 31)
const minutes = Number(process.env['MEILI_HA_CHAOS_MINUTES'] ?? 0)
/** For each kind of store. */
const durationMs = minutes > 0 ? minutes * 30_000 : 11_000
const TIMEOUT_MS = durationMs + 120_000

let root: TempDir
let made: Original[]
beforeAll(async () => {
  root = await tempDir()
  made = await originals(root.path)
})
afterAll(() => root[Symbol.asyncDispose]())

async function endure(dir: string, store: TroubledStore, random: Random): Promise<void> {
  console.log(`chaos on ${store.url}: MEILI_HA_CHAOS_SEED=${seed}`)
  const chaos = new Chaos(made, dir, store, random)
  const end = performance.now() + durationMs
  await chaos.rotate()
  await Promise.all([chaos.publishLoop(end), chaos.restoreLoop(end)])
  await chaos.settle()
  console.log(`chaos on ${store.url}: ${JSON.stringify(chaos.tally)}`)
}

test(
  'killed and with a failing S3, all that is listed can be restored, unaltered',
  async () => {
    await using dir = await tempDir()
    const random = new Random(seed)
    await using store = await troubledS3(random)
    await endure(dir.path, store, random)
  },
  TIMEOUT_MS,
)

test(
  'killed over a directory, all that is listed can be restored, unaltered',
  async () => {
    await using dir = await tempDir()
    await endure(dir.path, troubledDirectory(join(dir.path, 'store')), new Random(seed))
  },
  TIMEOUT_MS,
)
