import { expect, test } from 'vitest'
import { document } from '../docs/markdown.ts'
import { metricsIn, realMetrics } from '../docs/metrics.ts'
import {
  alerts,
  dashboard,
  expressions,
  monitoring,
  readYaml,
  rulesFile,
} from './monitoring-files.ts'

const RUNBOOK = 'deploy/runbooks/alerts.md'

for (const file of ['alerts.yaml', 'alerts.test.yaml', 'dashboard.json', 'README.md']) {
  test(`${file} names only metrics that the programs export`, async () => {
    const real = (await realMetrics()).map(({ name }) => name)
    expect(metricsIn(monitoring(file)).filter((name) => !real.includes(name))).toEqual([])
  })
}

test('the alerts ask only for label values that a metric has', async () => {
  const real = await realMetrics()
  const asked = alerts().flatMap(({ expr }) => [
    ...expr.matchAll(/(meili_ha_[a-z_]+)\{([a-z]+)="([a-z-]+)"\}/g),
  ])
  expect(asked.length).toBeGreaterThan(0)
  for (const [, name, label = '', value] of asked) {
    const values = real.find((metric) => metric.name === name)?.values ?? []
    expect(values.map(({ labels }) => labels[label])).toContain(value)
  }
})

test('the dashboard shows every metric', async () => {
  const shown = metricsIn(expressions().join('\n'))
  const missing = (await realMetrics())
    .map(({ name }) => name)
    .filter((name) => !shown.includes(name))
  expect(missing).toEqual([])
})

test('every alert has a severity, a sentence, and a section of the runbook', () => {
  const sections = [...document(RUNBOOK).matchAll(/^## (\S+)$/gm)].map(([, name]) => name)
  expect(alerts().map(({ alert }) => alert)).toEqual(sections)
  for (const { alert, labels, annotations } of alerts()) {
    expect(['critical', 'warning']).toContain(labels['severity'])
    expect(annotations['summary']).toMatch(/\.$/)
    expect(annotations['runbook_url']).toMatch(new RegExp(`/${RUNBOOK}#${alert.toLowerCase()}$`))
  }
})

test('every link within the runbook leads to a section', () => {
  const names = alerts().map(({ alert }) => `#${alert.toLowerCase()}`)
  const links = [...document(RUNBOOK).matchAll(/\]\((#[^)]*)\)/g)].map(([, link]) => link)
  expect(links.filter((link) => !names.includes(link ?? ''))).toEqual([])
})

test('every alert is tried: once it fires, and once something like it does not', () => {
  const { tests } = readYaml('alerts.test.yaml') as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
  }
  const tried = tests.flatMap((one) => one.alert_rule_test)
  for (const { alert } of alerts()) {
    const mine = tried.filter(({ alertname }) => alertname === alert)
    expect([alert, ...mine.map(({ exp_alerts }) => exp_alerts.length)]).toEqual([alert, 1, 0])
  }
})

test('the PrometheusRule holds the same alerts', () => {
  expect(readYaml('prometheusrule.yaml')).toMatchObject({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    spec: rulesFile(),
  })
})

test('no two panels of the dashboard share an id or a place, and each query has a name of its own', () => {
  const { panels, schemaVersion, uid } = dashboard()
  expect({ schemaVersion, uid }).toEqual({ schemaVersion: 39, uid: 'meili-ha' })
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const taken = new Set<string>()
  for (const { title, gridPos, targets = [] } of panels) {
    const { h, w, x, y } = gridPos
    expect(x + w, title).toBeLessThanOrEqual(24)
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        expect(taken, title).not.toContain(`${row}/${column}`)
        taken.add(`${row}/${column}`)
      }
    }
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
  }
})

test('the dashboard uses only variables that it has', () => {
  const { templating } = dashboard()
  const known = [...templating.list.map(({ name }) => name), '__rate_interval']
  const used = [...JSON.stringify(dashboard()).matchAll(/\$\{?([a-z_]+)\b/g)].map(
    ([, name]) => name,
  )
  expect(
    [...new Set(used)].filter((name) => !known.includes(name ?? '') && name !== '__all'),
  ).toEqual([])
})
