/** Loaded into an uploader: its manifests say that the snapshots hold more than they do. */
import { FileStore } from '@meili-ha/core/store/file-store.ts'
import { S3Store } from '@meili-ha/core/store/s3-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'

function boast(body: Buffer | string): Buffer {
  const manifest = JSON.parse(body.toString()) as { tasks: { lastTaskUid?: number } }
  if (manifest.tasks.lastTaskUid !== undefined) manifest.tasks.lastTaskUid += 100
  return Buffer.from(JSON.stringify(manifest))
}

for (const { prototype } of [FileStore, S3Store]) {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const put: Store['put'] = prototype.put
  prototype.put = function (this: FileStore & S3Store, key, body, ...rest) {
    return put.call(this, key, /^snapshots\/.*\.json$/.test(key) ? boast(body) : body, ...rest)
  }
}
