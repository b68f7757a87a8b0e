import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { REPO } from '../docs/markdown.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { expressions } from './monitoring-files.ts'

const PROMTOOL = process.env['PROMTOOL'] ?? 'promtool'
const there = spawnSync(PROMTOOL, ['--version']).status === 0
if (!there) {
  console.warn('SKIPPED: the alerts’ unit tests: no promtool on the PATH, and PROMTOOL names none')
}

function promtool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, {
    cwd: join(REPO, 'deploy/monitoring'),
    encoding: 'utf8',
  })
  expect(status, `${stdout}${stderr}`).toBe(0)
}

test.skipIf(!there)('Prometheus accepts the alerts', () => {
  promtool('check', 'rules', 'alerts.yaml')
})

test.skipIf(!there)('each alert fires when it should, and is silent when it should', () => {
  promtool('test', 'rules', 'alerts.test.yaml')
})

test.skipIf(!there)('every query of the dashboard is PromQL', async () => {
  await using dir = await tempDir()
  const rules = expressions().map((expr, index) => ({
    record: `panel:query${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m'),
  }))
  const file = join(dir.path, 'dashboard.yaml')
  await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules }] }))
  promtool('check', 'rules', file)
})
