import { followMetrics, type FollowMetrics } from '@meili-ha/fetcher/follow/follow-metrics.ts'
import { keeperMetrics } from '@meili-ha/lease-keeper/runtime/keeper-metrics.ts'
import { uploaderMetrics } from '@meili-ha/uploader/uploader-metrics.ts'

interface Metric {
  name: string
  values: { labels: Record<string, string> }[]
}

async function metricsOf({ registry }: Pick<FollowMetrics, 'registry'>): Promise<Metric[]> {
  return (await registry.getMetricsAsJSON()) as Metric[]
}

/** What the programs export, each label value pre-set. */
export const realMetrics = async (): Promise<Metric[]> => [
  ...(await metricsOf(uploaderMetrics())),
  ...(await metricsOf(followMetrics())),
  ...(await metricsOf(keeperMetrics())),
]

/** The names of metrics in a text. */
export function metricsIn(text: string): string[] {
  // meili_ha_cluster is a label.
  return text.match(/\bmeili_ha_(?!cluster\b)[a-z_]+/g) ?? []
}
