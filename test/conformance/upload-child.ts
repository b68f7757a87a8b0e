// A process that uploads one file: STORE_URL KEY FILE PART_SIZE [FREEZE_AT]. It prints each part, and
// stands still at the one with index FREEZE_AT, to be killed there.
import { open } from 'node:fs/promises'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { storeOptionsFromEnv } from '@meili-ha/core/store/store-options.ts'

const [url, key, path, partSize, freezeAt] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string?,
]
function freeze() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const store = openStore(url, url.startsWith('s3:') ? storeOptionsFromEnv(process.env) : {})
const handle = await open(path)
const { size } = await handle.stat()
const stored = await store.putFile(
  key,
  { handle, size },
  {
    partSize: Number(partSize),
    onPart: ({ index, reused }) => {
      console.log(`part ${index} ${reused ? 'reused' : 'sent'}`)
      if (String(index) === freezeAt) freeze()
    },
  },
)
await handle.close()
console.log(JSON.stringify({ size: stored.size, parts: stored.parts.length }))
console.log(`rss ${process.resourceUsage().maxRSS}`)
store.close()
