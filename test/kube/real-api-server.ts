import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeApi } from '@meili-ha/lease-keeper/kubernetes/kube-api.ts'
import { isKubeError } from '@meili-ha/lease-keeper/kubernetes/kube-error.ts'
import { freePort } from '../harness/free-port.ts'
import { startProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { accessOf, clientOf, keeperManifest, type KubeSite } from './kube-site.ts'
import type { KubeWorld } from './kube-worlds.ts'

/** What a RBAC manifest is posted to. */
const FOLDERS: Record<string, (namespace: string) => string> = {
  Role: (namespace) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`,
  RoleBinding: (namespace) =>
    `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
}

/**
 * A real kube-apiserver over a real etcd: leases, versions, RBAC and admission are real; no kubelet
 * and no controllers, so pods stay Pending.
 * @param assets directory with the binaries `kube-apiserver` and `etcd`, as envtest lays them out
 */
export async function startRealApiServer(assets: string): Promise<KubeWorld> {
  await using started = new AsyncDisposableStack()
  const dir = started.use(await tempDir())
  const etcdUrl = await startEtcd(started, assets, dir.path)
  const admin = randomUUID()
  const { server, ca } = await startApiserver(started, assets, dir.path, etcdUrl, admin)

  const newSite = async (): Promise<KubeSite> => {
    const where = { server, ca, namespace: `test-${randomUUID()}` }
    const api = clientOf(accessOf(where, admin), 20_000)
    await post(api, '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: where.namespace },
    })
    const keeperToken = (cluster: string) => grantKeeper(api, cluster)
    return { ...where, admin: api, inProcess: undefined, keeperToken }
  }
  const api = clientOf(accessOf({ server, ca, namespace: 'default' }, admin), 20_000)
  // It answers before it has made the roles that every user has: who may ask for its own rights.
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:basic-user'
  const made = () => api.call({ method: 'GET', path })
  await until('the API server is ready', made, { timeoutMs: 60_000, everyMs: 250 })
  api.close()
  const owned = started.move()
  return { newSite, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function startEtcd(
  started: AsyncDisposableStack,
  assets: string,
  dir: string,
): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peer = `http://127.0.0.1:${await freePort()}`
  started.use(
    startProcess({
      command: [
        join(assets, 'etcd'),
        ...['--data-dir', join(dir, 'etcd'), '--unsafe-no-fsync'],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--initial-cluster', `default=${peer}`],
      ],
    }),
  )
  return url
}

async function startApiserver(
  started: AsyncDisposableStack,
  assets: string,
  dir: string,
  etcdUrl: string,
  admin: string,
): Promise<{ server: string; ca: string }> {
  const port = await freePort()
  const key = join(dir, 'service-account.key')
  const tokens = join(dir, 'tokens.csv')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }))
  await writeFile(tokens, `${admin},admin,admin,system:masters\n`)
  const apiserver = started.use(
    startProcess({
      command: [
        join(assets, 'kube-apiserver'),
        `--etcd-servers=${etcdUrl}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${join(dir, 'certs')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-signing-key-file=${key}`,
        `--service-account-key-file=${key}`,
        `--token-auth-file=${tokens}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
        '--disable-admission-plugins=ServiceAccount',
        '--allow-privileged',
      ],
    }),
  )
  const certificate = () => {
    if (!apiserver.running()) throw new Error(apiserver.output())
    return readFile(join(dir, 'certs', 'apiserver.crt'), 'utf8')
  }
  const ca = await until('the API server has its certificate', certificate, { timeoutMs: 30_000 })
  return { server: `https://127.0.0.1:${port}`, ca }
}

/** Applies the shipped manifest and asks for a token of its service account. */
async function grantKeeper(admin: KubeApi, cluster: string): Promise<string> {
  const { namespace } = admin
  const manifest = await keeperManifest(cluster, namespace)
  for (const object of manifest) {
    await post(admin, FOLDERS[object.kind]!(namespace), object).catch((error: unknown) => {
      // The members of a cluster share one service account.
      if (!isKubeError(error, 'conflict')) throw error
    })
  }
  const account = manifest.find(({ kind }) => kind === 'ServiceAccount')!.metadata.name
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const answer = await post(admin, path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
  return (answer as { status: { token: string } }).status.token
}

function post(api: KubeApi, path: string, body: unknown): Promise<unknown> {
  return api.call({ method: 'POST', path, body })
}
