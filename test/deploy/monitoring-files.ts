import { parse } from 'yaml'
import { document } from '../docs/markdown.ts'

export interface Alert {
  alert: string
  expr: string
  for?: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

interface Panel {
  id: number
  type: string
  title: string
  gridPos: { h: number; w: number; x: number; y: number }
  targets?: { refId: string; expr: string }[]
}

export interface Dashboard {
  uid: string
  title: string
  schemaVersion: number
  panels: Panel[]
  templating: { list: { name: string; type: string; query: string | { query: string } }[] }
}

export const rulesFile = () => readYaml('alerts.yaml') as { groups: { rules: Alert[] }[] }

export const alerts = (): Alert[] => rulesFile().groups.flatMap(({ rules }) => rules)

export const dashboard = () => JSON.parse(monitoring('dashboard.json')) as Dashboard

export const expressions = (): string[] =>
  dashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

export const readYaml = (name: string): unknown => parse(monitoring(name)) as unknown

export const monitoring = (name: string): string => document(`deploy/monitoring/${name}`)
