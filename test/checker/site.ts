import { chmod, open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import type { Member, MemberOptions } from '../cluster/member.ts'
import { startProxy, type Proxy } from '../harness/proxy.ts'
import { flipBit } from '../s3-server/faults.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'

/** One member's own way to the bucket. */
interface Way {
  server: S3Server
  proxy: Proxy
}

/** A cluster, and what a nemesis can do to its store. */
export interface Site extends AsyncDisposable {
  cluster: Cluster
  /** By a way on which there are no faults. */
  store: Store
  /** With which a person's commands find the store. */
  env: Record<string, string>
  leaseDuration: string
  /** Undefined on a directory: it can be neither cut off nor out of order for one member alone. */
  wayOf: ((member: Member) => Way) | undefined
  /** Turns one bit of a tarball over. */
  damage(key: string): Promise<void>
}

export interface SiteOptions {
  kind: 'file' | 's3'
  members: number
  leaseDuration: string
  bin: string | undefined
  replace?: MemberOptions['replace']
}

/** Unreferenced tarballs would fill the memory of a bucket that is kept there. */
const UPLOADER = ['--every', '2s', '--max-duty', '50%', '--sweep-grace', '60s']

export async function startSite(options: SiteOptions): Promise<Site> {
  const { leaseDuration, bin, replace } = options
  const common = {
    leaseDuration,
    flags: { uploader: UPLOADER },
    ...(bin !== undefined && { bin }),
    ...(replace && { replace }),
  }
  return options.kind === 's3'
    ? onBucket(options.members, common, leaseDuration)
    : onDirectory(options.members, common, leaseDuration)
}

async function onDirectory(
  count: number,
  common: Partial<MemberOptions>,
  leaseDuration: string,
): Promise<Site> {
  const cluster = await startCluster(count, common)
  const root = fileURLToPath(cluster.storeUrl)
  return {
    cluster,
    store: cluster.store,
    env: {},
    leaseDuration,
    wayOf: undefined,
    damage: async (key) => {
      const path = `${root}/${key}`
      await chmod(path, 0o644)
      await using file = await open(path, 'r+')
      const at = (await file.stat()).size >> 1
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
      await file.write(flipBit(buffer), 0, 1, at)
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

async function onBucket(
  count: number,
  common: Partial<MemberOptions>,
  leaseDuration: string,
): Promise<Site> {
  await using stack = new AsyncDisposableStack()
  const own = stack.use(await startS3Server())
  const ways = new Map<string, Way>()
  for (let number = 1; number <= count; number++) {
    const server = stack.use(await startS3Server({ bucket: own.bucket }))
    const proxy = stack.use(await startProxy(Number(new URL(server.endpoint).port)))
    ways.set(`m${number}`, { server, proxy })
  }
  const storeUrl = `s3://${own.bucketName}/chaos`
  const env = environmentOf(own)
  const cluster = stack.use(
    await startCluster(count, { ...common, storeUrl }, (name) => {
      const AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${ways.get(name)!.proxy.port}`
      return { env: { ...env, AWS_ENDPOINT_URL_S3 } }
    }),
  )
  // Where the SDK's chain looks; the members have their own.
  Object.assign(process.env, env)
  const owned = stack.move()
  return {
    cluster,
    store: openStore(storeUrl, { endpoint: own.endpoint }),
    env,
    leaseDuration,
    wayOf: ({ name }) => ways.get(name)!,
    damage: async (key) => {
      const object = own.bucket.get(`chaos/${key}`)
      object.body = flipBit(object.body)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
