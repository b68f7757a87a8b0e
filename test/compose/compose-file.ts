import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { REPO } from '../docs/markdown.ts'

export interface Service {
  image: string
  user: string
  read_only: boolean
  cap_drop: string[]
  cap_add?: string[]
  security_opt: string[]
  restart?: string
  stop_grace_period: string
  mem_limit: string
  entrypoint?: string[]
  command: string[]
  environment?: Record<string, string>
  network_mode?: string
  healthcheck?: { test?: string[]; disable?: boolean }
  build?: { context: string; dockerfile: string; target: string }
  depends_on?: Record<string, { condition: string }>
  ports?: string[]
  tmpfs?: string[]
  volumes?: { type: string; source: string; target: string; read_only?: boolean }[]
}

export interface ComposeFile {
  services: Record<string, Service>
  volumes: Record<string, { driver_opts?: Record<string, string> } | null>
}

export const COMPOSE = join(REPO, 'docker/compose.yaml')

/** The file as an engine with these variables would take it: merged and interpolated. */
export function readCompose(variables: Readonly<Record<string, string>>): ComposeFile {
  const text = readFileSync(COMPOSE, 'utf8')
  const filled = text.replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, kind: string | undefined, rest: string | undefined) => {
      const value = variables[name]
      if (value) return value
      if (kind === '?') throw new Error(`required variable ${name} is missing a value: ${rest}`)
      return rest ?? ''
    },
  )
  return parse(filled, { merge: true }) as ComposeFile
}

/** The program of ours that a service runs. */
export function programOf({ image }: Service): string | undefined {
  return /^ghcr\.io\/meili-ha\/([a-z-]+):/.exec(image)?.[1]
}
