import type { Host } from '@meili-ha/core/cli/host.ts'
import { storeFromFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import type { LeaseFlags } from './commands/keeper-flags.ts'
import { kubeAccess } from './kubernetes/connect.ts'
import { KubeApi } from './kubernetes/kube-api.ts'
import { Pods } from './kubernetes/pods.ts'
import { KubernetesLease } from './lease/kubernetes-lease.ts'
import type { LeaseBackend } from './lease/lease.ts'
import { openStoreLease, storeLease } from './lease/open-store-lease.ts'
import { PodStatements } from './members/pod-statements.ts'
import type { Statements } from './members/statement.ts'
import { StoreStatements } from './members/store-statements.ts'
import { timingFor } from './timing.ts'

/** The lease, and what lives beside it. */
export interface OpenLease extends Disposable {
  backend: LeaseBackend
  statements: Statements
  /** Only with a Kubernetes lease. */
  kube: { api: KubeApi; pods: Pods } | undefined
}

/**
 * Opens the lease that the flags name.
 * @param use `hold`: a store is proven first, since it must be able to lock; `look`: it isn't
 * @throws LEASE_UNUSABLE, LEASE_UNREACHABLE, USAGE, and what the store throws
 */
export async function openLease(
  host: Pick<Host, 'env'>,
  flags: LeaseFlags,
  use: 'hold' | 'look',
): Promise<OpenLease> {
  const timeoutMs = timingFor(flags.leaseDuration).requestTimeout * 10
  if (flags.lease === 'none') {
    throw new MeiliHaError('USAGE', '--lease none has no lease record', {
      hint: 'Name it with --lease kubernetes, or --lease store --store URL.',
    })
  }
  if (flags.lease === 'kubernetes') {
    const api = new KubeApi(await kubeAccess(host.env), { timeoutMs })
    const { podName: name, podUid: uid = '', cluster } = flags
    const pods = new Pods(api, { name, uid, cluster })
    return {
      backend: new KubernetesLease(api, cluster),
      statements: new PodStatements(pods),
      kube: { api, pods },
      [Symbol.dispose]: () => api.close(),
    }
  }
  const store = await storeFromFlags(host, flags)
  const options = { timeoutMs, clock: REAL_CLOCK }
  try {
    return {
      backend: use === 'hold' ? await openStoreLease(store, options) : storeLease(store, options),
      statements: new StoreStatements(store),
      kube: undefined,
      [Symbol.dispose]: () => store.close(),
    }
  } catch (error) {
    store.close()
    throw error
  }
}
