import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Fault, FaultRule } from '../s3-server/faults.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import type { Random } from './random.ts'

/** A store that has a bad day, and what truly lies in it. */
export interface TroubledStore extends AsyncDisposable {
  url: string
  env: Record<string, string>
  /** Every object by key, as it lies there: not asked through anything that is tested. */
  objects(): Promise<Map<string, Buffer>>
  /** Adds a fault to what comes; a directory has none but the kills. */
  trouble(): void
  calm(): void
}

type Trouble = [fault: Fault, rule?: FaultRule]

/** Bits are flipped where a checksum is: what XML says of a LIST is TLS's to protect. */
const TROUBLES: Trouble[] = [
  [{ kind: 'status', status: 500, code: 'InternalError' }, { times: 2 }],
  [{ kind: 'status', status: 503, code: 'SlowDown', retryAfter: '1' }],
  [{ kind: 'reset' }],
  [{ kind: 'lost-answer' }],
  [{ kind: 'lost-answer' }, { op: 'PutObject' }],
  [{ kind: 'lost-answer' }, { op: 'CompleteMultipartUpload' }],
  [{ kind: 'short-body' }],
  [{ kind: 'clean-short-body' }, { op: 'GetObject' }],
  [{ kind: 'flip-answer' }, { op: 'GetObject' }],
  [{ kind: 'flip-request' }, { op: 'PutObject' }],
  [{ kind: 'flip-request' }, { op: 'UploadPart' }],
  [{ kind: 'hang' }, { op: 'UploadPart' }],
  [{ kind: 'hang-in-body' }, { op: 'GetObject' }],
  [{ kind: 'status', status: 403, code: 'AccessDenied' }],
]

export async function troubledS3(random: Random): Promise<TroubledStore> {
  const server = await startS3Server({ pageSize: 5 })
  const prefix = 'chaos/'
  return {
    url: `s3://${server.bucketName}/chaos`,
    env: environmentOf(server),
    objects: async () => {
      const objects = [...server.bucket.objects].filter(([key]) => key.startsWith(prefix))
      return new Map(objects.map(([key, { body }]) => [key.slice(prefix.length), body]))
    },
    trouble: () => {
      const [fault, rule] = random.pick(TROUBLES)
      server.faults.add(fault, { after: random.between(0, 6), ...rule })
    },
    calm: () => server.faults.clear(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export function troubledDirectory(directory: string): TroubledStore {
  return {
    url: `file://${directory}`,
    env: {},
    objects: async () => {
      const objects = new Map<string, Buffer>()
      const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
        () => [],
      )
      // Manifests first: a tarball is there before its manifest, and stays for the grace after it.
      for (const entry of found.toSorted((a) => (a.name.endsWith('.json') ? -1 : 1))) {
        const path = join(entry.parentPath, entry.name)
        const key = relative(directory, path)
        if (!entry.isFile() || key.startsWith('.')) continue
        const body = await readFile(path).catch(() => undefined)
        if (body) objects.set(key, body)
      }
      return objects
    },
    trouble: () => {},
    calm: () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
