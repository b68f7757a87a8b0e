import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startProxy, type Proxy } from '../harness/proxy.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { createPod, writeKubeconfig, type KubeSite } from '../kube/kube-site.ts'
import type { MemberOptions } from '../cluster/member.ts'

/** What one member's keeper needs to reach the API server by a way of its own. */
export interface KubeWay {
  pod: { name: string; uid: string }
  proxy: Proxy
  /** Writes another token where its keeper reads it, as the kubelet does. */
  setToken(token: string): Promise<void>
  token(): string
}

/** Ways of `m1`, `m2`, … to one site; `CLUSTER` is the one that startMember names. */
export async function kubeWays(
  site: KubeSite,
  names: string[],
): Promise<
  {
    ways: Map<string, KubeWay>
    options: (name: string) => Partial<MemberOptions>
  } & AsyncDisposable
> {
  const stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir())
  const ways = new Map<string, KubeWay>()
  const server = new URL(site.server)
  for (const name of names) {
    const proxy = stack.use(await startProxy(Number(server.port)))
    const directory = join(path, name)
    await mkdir(directory)
    const through = { ...site, server: `${server.protocol}//127.0.0.1:${proxy.port}` }
    let last = ''
    const setToken = async (token: string) => {
      last = token
      await writeKubeconfig(through, { token }, directory)
    }
    await setToken(await site.keeperToken('test'))
    const pod = { name, uid: await createPod(site, name, 'test') }
    ways.set(name, { pod, proxy, setToken, token: () => last })
  }
  const options = (name: string): Partial<MemberOptions> => ({
    lease: {
      args: [
        ...['--lease', 'kubernetes', '--pod-name', name],
        ...['--pod-uid', ways.get(name)!.pod.uid],
      ],
      env: { KUBECONFIG: join(path, name, 'kubeconfig') },
    },
  })
  return { ways, options, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
