import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHART } from './helm.ts'
import { BASE, baseText } from './kustomize.ts'
import { tableOf, valueRows } from './values-rows.ts'

// `pnpm render`: writes what follows from the chart: the base of deploy/kustomize, and the table of
// values in the chart's README.
writeFileSync(BASE, baseText())

const readme = join(CHART, 'README.md')
const marker = '<!-- values -->\n'
const [before = ''] = readFileSync(readme, 'utf8').split(marker)
writeFileSync(readme, `${before}${marker}\n${tableOf(valueRows())}\n`)
execFileSync('oxfmt', [BASE, readme], { stdio: 'inherit' })
