import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { KubeSite } from '../kube/kube-site.ts'

/** What a pod's container finds of its service account. */
export interface ServiceAccount extends AsyncDisposable {
  env: Record<string, string>
  /** Put before a program, so that it finds the account where a pod would; needs root. */
  wrap: string[]
}

/** A container's mount of its service account, for a program that takes this machine for its node. */
const IN_POD = `
  mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io
  ln -s "$ACCOUNT" /run/secrets/kubernetes.io/serviceaccount && exec "$@"
`

/** Files of a service account in `directory`, and TLS before the in-process API server. */
export async function serviceAccount(
  directory: string,
  site: KubeSite,
  cluster: string,
): Promise<ServiceAccount> {
  await mkdir(directory)
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'ca.crt')]
  const subject = ['-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  await writeFile(join(directory, 'token'), await site.keeperToken(cluster))
  await writeFile(join(directory, 'namespace'), site.namespace)
  const tls = { key: await readFile(key), cert: await readFile(cert) }
  const server = createServer(tls, (incoming, outgoing) => {
    const { method = 'GET', headers } = incoming
    const call = request(`${site.server}${incoming.url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    // A connection that was kept may be closed at this very moment: whoever asked asks again.
    call.once('error', () => outgoing.destroy())
    incoming.pipe(call)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    env: {
      ACCOUNT: directory,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
    },
    wrap: ['unshare', '--mount', 'sh', '-c', IN_POD, 'pod'],
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
