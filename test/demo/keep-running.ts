import { MASTER_KEY } from '../cluster/member.ts'
import type { CleanUp } from './clean-up.ts'
import type { Scene } from './scene.ts'

/** Credentials that a person gave aren't printed: he has them. */
const SECRET = /^AWS_(?!ENDPOINT_URL)/

/** Says what can be tried now, and goes on until Ctrl-C. */
export async function keepRunning(scene: Scene, cleanUp: CleanUp): Promise<never> {
  cleanUp.expectSignal()
  process.stdout.write(`\n${whatToTry(scene).join('\n')}\n\nIt goes on until Ctrl-C.\n`)
  // A timer keeps the process up; the signal ends it.
  setInterval(() => {}, 60_000)
  return new Promise(() => {})
}

function whatToTry({ cluster, router, keeperFlags, keeperEnv, ownCredentials }: Scene): string[] {
  const env = Object.entries(keeperEnv)
    .filter(([name]) => ownCredentials || !SECRET.test(name))
    .map(([name, value]) => `${name}=${value} `)
    .join('')
  const keeper = (verb: string) =>
    `  ${env}npx pnpm@12 lease-keeper ${verb} ${keeperFlags.join(' ')}`
  const auth = `-H 'Authorization: Bearer ${MASTER_KEY}'`
  return [
    `router: ${router.url}`,
    ...cluster.members.map(
      ({ name, url, keeperUrl, ha, data }) =>
        `${name}: Meilisearch ${url}, lease-keeper ${keeperUrl}, permit ${ha.path}/permit, data ${data}`,
    ),
    'Try, from the checkout:',
    keeper('status'),
    keeper('switchover'),
    `  curl ${auth} '${router.url}/indexes/books/search?q=amber&limit=3'`,
    `  curl ${auth} ${router.url}/indexes/written/documents -H 'Content-Type: application/json' --data '[{"id":1}]'`,
    ...cluster.members.map(
      ({ name, parts }) => `  kill -9 ${parts.keeper.pid}   # the lease-keeper of ${name}`,
    ),
  ]
}
