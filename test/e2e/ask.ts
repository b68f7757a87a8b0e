import type { Cluster } from '../cluster/cluster.ts'
import { leaseIn, leaseKeeper } from '../cluster/keeper-cli.ts'
import type { Member } from '../cluster/member.ts'

type Program = 'keeper' | 'fetcher' | 'uploader'

const text = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(3000) })).text()

const urlOf = (member: Member, program: Program) =>
  ({ keeper: member.keeperUrl, fetcher: member.fetcherUrl, uploader: member.uploaderUrl })[program]

/** The value of a metric as Prometheus would scrape it; undefined = it isn't there. */
export async function metric(
  member: Member,
  program: Program,
  name: string,
): Promise<number | undefined> {
  const lines = (await text(`${urlOf(member, program)}/metrics`)).split('\n')
  const line = lines.find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

/** What a program says of itself at /status. */
export async function statusOf(member: Member, program: Program): Promise<Record<string, unknown>> {
  return JSON.parse(await text(`${urlOf(member, program)}/status`)) as Record<string, unknown>
}

/** What `lease-keeper status` prints of a cluster whose lease is in its store. */
export async function statusPrinted({ storeUrl }: Cluster): Promise<string> {
  return (await leaseKeeper(['status', ...leaseIn(storeUrl)])).stdout
}

/** The line of one member in it; empty when it has none. */
export async function statusRow(cluster: Cluster, name: string): Promise<string> {
  const lines = (await statusPrinted(cluster)).split('\n')
  return lines.find((line) => line.startsWith(`${name} `)) ?? ''
}
