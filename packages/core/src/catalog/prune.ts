import { newestEpoch } from './catalog-view.ts'
import type { CatalogReader } from './read-catalog.ts'
import { planRetention, type RetentionPlan, type RetentionRules } from './retention.ts'

/** What entitles a member to delete. */
export interface Entitlement {
  /** 0 without a lease. */
  epoch: number
  /** Reads the permit anew; false ends the work at once. Without a lease always true. */
  stillPrimary: () => Promise<boolean>
}

/** What was (not) deleted. */
export interface PruneResult {
  plan: RetentionPlan
  /** Ids, oldest first. */
  removed: string[]
  /** Why it ended early. */
  stopped: 'superseded' | 'not-primary' | undefined
}

/** Deletes the manifests that the rules let go. `planRetention` alone is the dry run. */
export async function prune(
  reader: CatalogReader,
  rules: RetentionRules,
  { epoch, stillPrimary }: Entitlement,
): Promise<PruneResult> {
  const view = await reader.read()
  const plan = planRetention(view, rules)
  const removed: string[] = []
  if ((newestEpoch(view) ?? 0) > epoch) return { plan, removed, stopped: 'superseded' }
  for (const { entry } of plan.remove) {
    if (!(await stillPrimary())) return { plan, removed, stopped: 'not-primary' }
    await reader.store.delete(entry.key)
    removed.push(entry.id)
  }
  return { plan, removed, stopped: undefined }
}
