import { MeiliHaError } from '../errors.ts'
import type { ProofRow } from '../store/proof.ts'
import type { Host } from './host.ts'
import { formatTable } from './table.ts'

/**
 * Prints what `check` found as a table, with a hint below each row that failed.
 * @throws CHECK_FAILED when anything failed
 */
export function printChecks(host: Pick<Host, 'stdout'>, rows: readonly ProofRow[]): void {
  const lines = formatTable([
    ['check', 'result', ''],
    ...rows.map(({ name, result, detail }) => [name, result, detail ?? '']),
  ]).split('\n')
  const [heading = '', ...rest] = lines
  host.stdout.write(`${heading}\n`)
  rows.forEach(({ result, hint }, index) => {
    host.stdout.write(`${rest[index]}\n`)
    if (result === 'failed' && hint) host.stdout.write(`  hint: ${hint}\n`)
  })
  const failed = rows.filter(({ result }) => result === 'failed').length
  if (failed > 0) {
    throw new MeiliHaError('CHECK_FAILED', `${failed} of ${rows.length} checks failed`)
  }
}
