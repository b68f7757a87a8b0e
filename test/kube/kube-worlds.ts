import { startInProcessWorld } from './in-process-world.ts'
import type { KubeSite } from './kube-site.ts'
import { startRealApiServer } from './real-api-server.ts'

/** An API server that lasts for a file of tests; each test takes a namespace of its own. */
export interface KubeWorld extends AsyncDisposable {
  newSite(): Promise<KubeSite>
}

/** The same tests run on both: the in-process server stands for the real one, and must not drift. */
export function kubeWorlds(): { name: string; start: () => Promise<KubeWorld> }[] {
  const worlds = [{ name: 'in-process API server', start: startInProcessWorld }]
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (!assets) {
    console.warn('SKIPPED: a real kube-apiserver: set KUBEBUILDER_ASSETS (kube-apiserver, etcd)')
    return worlds
  }
  return [...worlds, { name: 'kube-apiserver', start: () => startRealApiServer(assets) }]
}
