import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dryRun } from '../docs/dry-run.ts'
import { REPO } from '../docs/markdown.ts'
import { COMPOSE, programOf, readCompose } from './compose-file.ts'

const text = readFileSync(join(REPO, 'docker/README.md'), 'utf8')
const { services } = readCompose({ MEILI_MASTER_KEY: '0123456789abcdef' })

test('what the page runs in a container, the program there takes', async () => {
  const lines = [...text.matchAll(/ exec (\S+) \/nodejs\/bin\/node \/app\/(\S+)\.mjs (.*)$/gm)]
  expect(lines.length).toBeGreaterThan(2)
  for (const [line, service = '', program = '', args = ''] of lines) {
    expect(services[service] && programOf(services[service]), line).toBe(program)
    expect(await dryRun(program, args.split(' '))).toMatchObject({ code: 0, stderr: '' })
  }
})

test('it names services that are there', () => {
  const named = [...text.matchAll(/compose\.yaml (?:kill|stop|logs --follow) (.*)$/gm)]
  const names = named.flatMap(([, rest = '']) => rest.split(' '))
  expect(names.length).toBeGreaterThan(4)
  expect(names.filter((name) => !(name in services))).toEqual([])
})

test('its variables and their defaults are those of compose.yaml', () => {
  const file = readFileSync(COMPOSE, 'utf8')
  const rows = [...text.matchAll(/^\| `([A-Z_]+)`\s+\| (?:`(.*?)`)?/gm)]
  const told = new Map(rows.map(([, name = '', value = '']) => [name, value]))
  const used = [...file.matchAll(/\$\{(\w+)(?::-([^}]*))?/g)]
  for (const [, name = '', value = ''] of used.filter(([, one]) => !one?.startsWith('AWS_'))) {
    expect({ name, value: told.get(name) }).toEqual({ name, value })
  }
})
