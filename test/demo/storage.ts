import { randomUUID } from 'node:crypto'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { startProxy, type Proxy } from '../harness/proxy.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'

/** Where the members of a scene keep their snapshots, and how one of them is cut off from it. */
export interface Storage extends AsyncDisposable {
  /** For a person. */
  name: string
  /** Undefined = the cluster makes a directory of its own. */
  url: string | undefined
  /** What programs that belong to no member need. */
  env: Record<string, string>
  /** What the programs of one member need. */
  envOf(member: string): Record<string, string>
  /** A member's own way there; undefined where there is none to cut. */
  way(member: string): Proxy | undefined
}

/** A directory, as the cluster makes it: nobody can be cut off from it. */
export function directoryStorage(): Storage {
  return {
    name: 'a directory (file://)',
    url: undefined,
    env: {},
    envOf: () => ({}),
    way: () => undefined,
    [Symbol.asyncDispose]: async () => {},
  }
}

/** The S3 server of the tests inside this process; each member reaches it by a proxy of its own. */
export async function ownBucket(members: readonly string[]): Promise<Storage> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startS3Server())
  const env = environmentOf(server)
  const storage = await behindProxies(members, new URL(server.endpoint), stack)
  return {
    ...storage,
    name: 'the S3 server of the tests, inside this process; a TCP proxy before each member',
    url: `s3://${server.bucketName}/demo`,
    env,
    envOf: (member) => ({ ...env, ...storage.envOf(member) }),
  }
}

/**
 * A bucket that somebody gave, by AWS_* as for any tool; everything lies below a prefix of its own there.
 * @param cut whether members must be cut off from it: then its endpoint has to be plain http
 */
export async function givenBucket(
  url: string,
  members: readonly string[],
  cut: boolean,
): Promise<Storage> {
  await using stack = new AsyncDisposableStack()
  const given = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))
  const env = Object.fromEntries(given) as Record<string, string>
  const endpoint = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
  if (cut && !endpoint?.startsWith('http://')) {
    throw new Error(
      'a partition needs an endpoint that is plain http (AWS_ENDPOINT_URL_S3=http://…), since a TCP ' +
        'proxy can stand before that alone. Leave out --store, or add --lease kubernetes.',
    )
  }
  const own = `${url.replace(/\/$/, '')}/demo-${randomUUID().slice(0, 8)}`
  // Asked before anything starts: a wrong key or name shows at once, and by its own words.
  await openStore(own).list('')
  const storage = cut && (await behindProxies(members, new URL(endpoint!), stack))
  return {
    name: `${own}${storage ? '; a TCP proxy before each member' : ''}`,
    url: own,
    env,
    envOf: (member) => ({ ...env, ...(storage && storage.envOf(member)) }),
    way: (member) => (storage ? storage.way(member) : undefined),
    [Symbol.asyncDispose]: async () => {
      if (storage) await storage[Symbol.asyncDispose]()
      await emptyPrefix(own)
    },
  }
}

/** Removes all that the demo has put there. */
export async function emptyPrefix(url: string): Promise<void> {
  const store = openStore(url)
  for (const { key } of await store.list('')) await store.delete(key)
}

async function behindProxies(
  members: readonly string[],
  { hostname, port }: URL,
  stack: AsyncDisposableStack,
): Promise<Pick<Storage, 'envOf' | 'way'> & AsyncDisposable> {
  const ways = new Map<string, Proxy>()
  for (const member of members) {
    ways.set(member, stack.use(await startProxy(Number(port || 80), hostname)))
  }
  const owned = stack.move()
  return {
    envOf: (member) => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${ways.get(member)!.port}` }),
    way: (member) => ways.get(member),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
