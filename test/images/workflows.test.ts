import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { PROGRAMS } from '../../docker/bundle-program.ts'
import { REPO } from '../docs/markdown.ts'
import { run } from './tool.ts'

interface Workflow {
  permissions: Record<string, string>
  concurrency: object
  jobs: Record<
    string,
    {
      permissions?: Record<string, string>
      'timeout-minutes'?: number
      strategy?: { matrix: { program: string[] } }
      steps: { uses?: string; run?: string; with?: Record<string, unknown> }[]
    }
  >
}

const DIR = join(REPO, '.github/workflows')
const FILES = readdirSync(DIR)
const read = (file: string) => readFileSync(join(DIR, file), 'utf8')

describe.each(FILES)('%s', (file) => {
  const workflow = parse(read(file)) as Workflow
  const jobs = Object.values(workflow.jobs)

  test('runs foreign actions of one commit each, and leaves them no credentials', () => {
    const uses = [...read(file).matchAll(/uses: (.*)/g)].map(([, action]) => action)
    expect(uses.length).toBeGreaterThan(0)
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v[\d.]+$/)
    const checkouts = jobs
      .flatMap(({ steps }) => steps)
      .filter((step) => step.uses?.startsWith('actions/checkout@'))
    for (const step of checkouts) expect(step.with).toEqual({ 'persist-credentials': false })
  })

  test('may only read, but for the jobs that publish', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
    expect(workflow.concurrency).toBeDefined()
    for (const job of jobs) {
      expect(job['timeout-minutes']).toBeGreaterThan(0)
      const writes = Object.values(job.permissions ?? {}).includes('write')
      const publishes = /push: true|helm push/.test(
        JSON.stringify(job).replaceAll('"', '').replaceAll(':', ': '),
      )
      expect(writes).toBe(publishes)
    }
  })

  test('makes an image of every program', () => {
    const matrices = jobs.flatMap(({ strategy }) => (strategy ? [strategy.matrix.program] : []))
    expect(matrices).toEqual([[...PROGRAMS]])
  })
})

test('actionlint has nothing to say', (context) => {
  const said = run(
    'actionlint',
    FILES.map((file) => join(DIR, file)),
  )
  if (said === undefined) context.skip('SKIPPED: actionlint is not installed')
  expect(said).toEqual({ code: 0, output: '' })
})
