import { leaseKeeper } from '../cluster/keeper-cli.ts'
import type { Site } from './site.ts'

const lease = ({ cluster, leaseDuration }: Site): string[] => [
  ...['--cluster', 'test', '--lease', 'store', '--store', cluster.storeUrl],
  ...['--lease-duration', leaseDuration, '--log-format', 'json'],
]

/** Asks for a switch-over. @returns the epoch that it led to; undefined when it wasn't done */
export async function switchOver(site: Site): Promise<number | undefined> {
  const args = ['switchover', ...lease(site), '--timeout', '30s']
  const { code, stdout } = await leaseKeeper(args, site.env)
  const epoch = / leads in epoch (\d+),/.exec(stdout)?.[1]
  return code === 0 && epoch !== undefined ? Number(epoch) : undefined
}

export async function pauseFailover(site: Site, verb: 'pause' | 'resume'): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const { code } = await leaseKeeper([verb, ...lease(site)], site.env)
    if (code === 0) return
  }
  throw new Error(`lease-keeper ${verb} failed five times`)
}
