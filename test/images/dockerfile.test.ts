import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import dockerignore from '@balena/dockerignore'
import { DockerfileParser, type Copy } from 'dockerfile-ast'
import { expect, test } from 'vitest'
import { PROGRAMS } from '../../docker/bundle-program.ts'
import { REPO } from '../docs/markdown.ts'
import { run } from './tool.ts'

const PATH = 'docker/Dockerfile'
const text = readFileSync(join(REPO, PATH), 'utf8')
const dockerfile = DockerfileParser.parse(text)
const stages = dockerfile.getFROMs()

/** Its types tell of a module, where Node has its default export. */
const ignore = dockerignore as unknown as typeof dockerignore.default

interface Line {
  keyword: string
  flags: string[]
  content: string
}

function stageOf(name: string): Line[] {
  const from = stages.find((one) => one.getBuildStage() === name)
  if (!from) throw new Error(`no stage ${name}`)
  const image = dockerfile.getContainingImage(from.getRange().start)
  return (image?.getInstructions() ?? []).map((one) => ({
    keyword: one.getKeyword(),
    flags: 'getFlags' in one ? (one as Copy).getFlags().map(String) : [],
    content: one.getArgumentsContent() ?? '',
  }))
}

const argumentsOf = (stage: Line[], keyword: string): string[] =>
  stage.filter((line) => line.keyword === keyword).map(({ content }) => content)

test('its targets are the programs, which differ from each other after their base alone', () => {
  const targets = stages.filter((from) => from.getImage() === 'base')
  expect(targets.map((from) => from.getBuildStage())).toEqual([...PROGRAMS])
  for (const program of PROGRAMS) {
    const stage = stageOf(program)
    const layers = stage.filter(({ keyword }) => /^(COPY|RUN|WORKDIR|ADD)$/.test(keyword))
    const copy = { keyword: 'COPY', flags: ['--from=bundles'] }
    expect(layers).toEqual([{ ...copy, content: `/bundles/${program} /app` }])
    const [entrypoint] = argumentsOf(stage, 'ENTRYPOINT')
    expect(JSON.parse(entrypoint ?? '')).toEqual(['/nodejs/bin/node', `/app/${program}.mjs`])
    const [check] = argumentsOf(stage, 'HEALTHCHECK')
    expect(check).toContain(`CMD ["/nodejs/bin/node", "/app/${program}.mjs", "health"]`)
  }
})

test('what runs is uid 1000, by its number, so that runAsNonRoot can tell', () => {
  expect(argumentsOf(stageOf('base'), 'USER')).toEqual(['1000:1000'])
  for (const program of PROGRAMS) expect(argumentsOf(stageOf(program), 'USER')).toEqual([])
})

test('nothing is fetched from elsewhere, no base floats', () => {
  const all = dockerfile.getInstructions()
  expect(all.filter((one) => one.getKeyword() === 'ADD')).toEqual([])
  const [runtime] = /^ARG RUNTIME=(.*)$/m.exec(text)?.slice(1) ?? []
  const bases = stages.map((from) => from.getImage() ?? '').filter((image) => image !== 'base')
  expect(bases).toEqual(['node:24-trixie-slim', '${RUNTIME}'])
  expect(runtime).toMatch(/^[^:@]+:(?!latest)\w/)
})

test('every file that it copies is in the repository, and is sent to the builder', () => {
  const sent = ignore().add(readFileSync(join(REPO, `${PATH}.dockerignore`), 'utf8'))
  const sources = argumentsOf(stageOf('bundles'), 'COPY').flatMap((line) =>
    line.split(/\s+/).slice(0, -1),
  )
  expect(sources.length).toBeGreaterThan(5)
  for (const source of sources) {
    const files = globSync([source, `${source}/**/*.ts`], { cwd: REPO }).filter(
      (file) => !file.includes('node_modules') && !file.endsWith('.test.ts'),
    )
    expect(files.length, source).toBeGreaterThan(0)
    const missing = files.filter((file) => /\.\w+$/.test(file) && sent.ignores(file))
    expect(missing, source).toEqual([])
  }
  for (const file of ['test/fixtures/catalogue.snapshot', '.git/config', 'README.md', '.env']) {
    expect(sent.ignores(file), file).toBe(true)
  }
})

test('pnpm is the one of package.json', () => {
  const { packageManager } = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8'))
  expect(text).toContain(`npx --yes ${packageManager} install --frozen-lockfile`)
})

test('hadolint has nothing to say', (context) => {
  const said = run('hadolint', [join(REPO, PATH)])
  if (said === undefined) context.skip('SKIPPED: hadolint is not installed')
  expect(said).toEqual({ code: 0, output: '' })
})
