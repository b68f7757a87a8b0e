import type { Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { MORE } from '@meili-ha/core/cli/flags.ts'
import { bare, readme, reference, tableAfter } from './markdown.ts'
import { dryHost, dryRun, PROGRAMS } from './dry-run.ts'

const commandsOf = (program: string): readonly Command[] =>
  PROGRAMS[program]?.(dryHost([])).commands ?? []

/** Those that --help shows first. */
function everyday(command: Command): Option[] {
  return command.options.filter(
    ({ hidden, helpGroupHeading }) => !hidden && helpGroupHeading !== MORE,
  )
}

const documented = (program: string) =>
  tableAfter(reference(), `flags of ${program}`).map(([flag = '', of = '', shown = '']) => ({
    flag: bare(flag),
    commands: of.split(', '),
    shown: bare(shown),
  }))

for (const program of Object.keys(PROGRAMS)) {
  test(`the reference tells every everyday flag of ${program}, and no other`, () => {
    const real = commandsOf(program).flatMap((command) =>
      everyday(command).map((option) => `${command.name()} ${option.long}`),
    )
    const told = documented(program).flatMap(({ flag, commands }) =>
      commands.map((command) => `${command} ${flag}`),
    )
    expect(told.sort()).toEqual(real.sort())
  })

  test(`the reference tells the defaults that ${program} has`, () => {
    for (const { flag, commands, shown } of documented(program)) {
      for (const name of commands) {
        const command = commandsOf(program).find((one) => one.name() === name)
        const option = command?.options.find(({ long }) => long === flag)
        const real = option?.defaultValueDescription ?? option?.defaultValue ?? ''
        const expected = real === 'the-host' ? "the host's name" : String(real)
        expect([flag, name, shown]).toEqual([flag, name, expected])
      }
    }
  })
}

test('every flag that README and reference name anywhere exists', () => {
  const real = Object.keys(PROGRAMS)
    .flatMap(commandsOf)
    .flatMap(({ options }) => options.map(({ long }) => long))
  const [before = '', rest = ''] = readme().split('### 4. ')
  const after = rest.slice(rest.indexOf('\n## '))
  // In code spans only, and not in those that show another program's command line.
  const spans = [...`${before}${after}${reference()}`.matchAll(/`([^`\n]+)`/g)].map(
    ([, span = '']) => span,
  )
  const own = spans.filter((span) => !/^(unshare|meilisearch|helm|docker|pnpm chaos) /.test(span))
  const named = own.flatMap((span) => span.match(/(?<![\w-])--[a-z][a-z0-9-]+/g) ?? [])
  const ofDemo = ['--kill', '--keep']
  const ofOthers = [
    ...ofDemo,
    ...['--import-snapshot', '--ignore-snapshot-if-db-exists', '--help', '--beat'],
  ]
  expect(
    [...new Set(named)].filter((flag) => !real.includes(flag) && !ofOthers.includes(flag)),
  ).toEqual([])
})

test('every example of a --help can be copied: it parses, and stands on one line', async () => {
  for (const [program, build] of Object.entries(PROGRAMS)) {
    for (const command of build(dryHost([])).commands) {
      const example = /Example:\n {2}(.*)/.exec(command.description())?.[1]
      if (example === undefined) continue
      // Help is wrapped at 80 columns where it isn't shown on a terminal.
      expect(`  ${example}`.length, example).toBeLessThan(80)
      const [name, ...args] = example.split(' ')
      expect(name).toBe(program)
      expect({ example, ...(await dryRun(program, args)) }).toMatchObject({
        code: 0,
        ran: { name: command.name() },
      })
    }
  }
})
