import { startCluster, type Cluster } from '../cluster/cluster.ts'
import type { Member, MemberOptions } from '../cluster/member.ts'
import { kubeWays, type KubeWay } from '../faults/kube-cluster.ts'
import type { Partition, Proxy } from '../harness/proxy.ts'
import { kubeWorlds } from '../kube/kube-worlds.ts'
import { startRouter, type RouterKind } from '../router/start-router.ts'
import type { Router } from '../router/haproxy.ts'
import { directoryStorage, givenBucket, ownBucket, type Storage } from './storage.ts'

export type LeaseKind = 'store' | 'kubernetes'

export interface SceneOptions {
  bin: string | undefined
  lease: LeaseKind
  leaseDuration: string
  /** `s3://…`; undefined = a directory, or the S3 server of the tests where members are to be cut off. */
  store: string | undefined
  /** Whether a member is to be cut off from its lease. */
  partition: boolean
  flags: NonNullable<MemberOptions['flags']>
  router?: RouterKind
}

/** Two members and a router, in which things can be broken. */
export interface Scene extends AsyncDisposable {
  cluster: Cluster
  router: Router
  /** What it is made of, a line each. */
  parts: string[]
  /** For `lease-keeper switchover` and the like. */
  keeperFlags: string[]
  keeperEnv: Record<string, string>
  /** Whether what keeperEnv holds is of the scene's own making, and may be shown. */
  ownCredentials: boolean
  /** Cuts this member alone off from its lease: bytes vanish in both directions, nobody is told. */
  partition(member: Member): void
  heal(member: Member): void
}

const NAMES = ['m1', 'm2']

export async function startScene(options: SceneOptions): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const storage = stack.use(await storageFor(options))
  const kube = options.lease === 'kubernetes' ? stack.use(await kubernetes()) : undefined
  const cluster = stack.use(
    await startCluster(
      NAMES.length,
      {
        flags: options.flags,
        leaseDuration: options.leaseDuration,
        ...(options.bin ? { bin: options.bin } : {}),
        ...(storage.url ? { storeUrl: storage.url } : {}),
      },
      (name) => ({ env: storage.envOf(name), ...kube?.options(name) }),
    ),
  )
  const router = stack.use(await startRouter(options.router, cluster.members))
  const way = ({ name }: Member): Proxy => {
    const proxy = kube ? kube.ways.get(name)?.proxy : storage.way(name)
    if (!proxy) throw new Error(`${name} has no way to its lease that could be cut`)
    return proxy
  }
  const owned = stack.move()
  return {
    cluster,
    router,
    parts: [
      `store: ${storage.name}`,
      `lease: ${kube?.name ?? 'a record in the store'}, --lease-duration ${options.leaseDuration} (15s is the default)`,
      `router: ${router.name}`,
    ],
    keeperFlags: [
      ...['--cluster', 'test', '--lease', options.lease],
      ...['--store', cluster.storeUrl],
    ],
    keeperEnv: { ...storage.env, ...kube?.env },
    ownCredentials: options.store === undefined,
    partition: (member, how: Partition = 'black-hole') => way(member).partition(how),
    heal: (member) => way(member).heal(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function storageFor({ store, lease, partition }: SceneOptions): Promise<Storage> {
  const cut = partition && lease === 'store'
  if (store) return givenBucket(store, NAMES, cut)
  return cut ? ownBucket(NAMES) : Promise.resolve(directoryStorage())
}

/** Two pods that never run, in an API server: a real one where KUBEBUILDER_ASSETS names it. */
async function kubernetes(): Promise<
  {
    name: string
    ways: ReadonlyMap<string, KubeWay>
    options: (name: string) => Partial<MemberOptions>
    env: Record<string, string>
  } & AsyncDisposable
> {
  await using stack = new AsyncDisposableStack()
  const { name, start } = kubeWorlds().at(-1)!
  const world = stack.use(await start())
  const kube = stack.use(await kubeWays(await world.newSite(), NAMES))
  const owned = stack.move()
  return {
    name: `a Lease in ${name === 'kube-apiserver' ? 'a real kube-apiserver' : 'the API server of the tests, inside this process'}`,
    ways: kube.ways,
    options: kube.options,
    // What a person runs goes m2's way: m1's may be cut.
    env: kube.options('m2').lease!.env!,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
