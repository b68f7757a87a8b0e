import type { Host } from '@meili-ha/core/cli/host.ts'
import type { Outcome } from '../restore.ts'

const SENTENCES: Record<Outcome['action'], (path: string, id: string) => string> = {
  restore: (path, id) => `restored ${id} into ${path}`,
  'set-aside': (path, id) => `restored ${id} into ${path}`,
  keep: (path) => `kept ${path}`,
  'keep-unready': (path) => `kept ${path}; the store holds nothing to compare it with`,
  'keep-unmarked': (path) => `kept ${path}, as --unknown-data asks`,
  upgrade: (path) => `kept ${path}; Meilisearch will upgrade it at its start`,
  adopt: (path) => `adopted ${path}`,
  'start-empty': (path) => `the store was never used: Meilisearch may begin empty in ${path}`,
  'wait-for-bootstrap': () => 'left as it is: `fetcher follow` decides once somebody leads',
  'wait-for-store': () => 'left as it is: the store does not answer',
}

/** Says on stdout what became of the data directory. */
export function sayOutcome(host: Host, path: string, outcome: Outcome, json: boolean): void {
  if (json) {
    host.stdout.write(`${JSON.stringify({ ...outcome, path })}\n`)
    return
  }
  host.stdout.write(`${SENTENCES[outcome.action](path, outcome.snapshotId ?? '-')}\n`)
  if (outcome.setAside !== null) {
    host.stdout.write(
      `what was there is kept as ${outcome.setAside}; \`fetcher discard\` removes it\n`,
    )
  }
}
