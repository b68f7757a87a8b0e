// A process that races others on a store: STORE_URL NAME ROUNDS. Creates keys that all want, and
// counts up one that all count up; prints what it won.
import { isError } from '@meili-ha/core/errors.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'

const [url, name, rounds] = process.argv.slice(2) as [string, string, string]
const store = openStore(url)
const created: string[] = []
let counted = 0

async function won(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (isError(error, 'STORE_CONFLICT')) return false
    throw error
  }
}

for (let round = 0; round < Number(rounds); round++) {
  if (await won(store.put(`created/${round}`, name, { ifNoneMatch: '*' }))) {
    created.push(`created/${round}`)
  }
  const { body, etag } = await store.get('counter')
  // Always as long as before, and often in the same tick: an ETag must tell them apart all the same.
  const next = String(Number(body) + 1).padStart(8, '0')
  if (await won(store.put('counter', next, { ifMatch: etag }))) counted++
}
console.log(JSON.stringify({ created, counted }))
