import { readFileSync } from 'node:fs'
import { Command, type Option } from 'commander'
import { ERRORS } from '../errors.ts'
import type { Host } from './host.ts'

export interface ProgramDescription {
  name: string
  /** One sentence. */
  description: string
  /** One line that can be copied. */
  example: string
  commands: Command[]
}

/** A command with its one sentence and one example, as --help shows it. */
export function describe(command: Command, sentence: string, example: string): Command {
  return command.summary(sentence).description(`${sentence}\n\nExample:\n  ${example}`)
}

/** A program of several commands, with the conventions that all of them share. */
export function programCommand(host: Host, description: ProgramDescription): Command {
  const program = new Command(description.name)
  describe(program, description.description, description.example)
  program.version(version())
  for (const command of description.commands) program.addCommand(command)
  program.addHelpText('after', `\n${exitCodes()}`)
  for (const command of [program, ...program.commands]) {
    // Errors are thrown, so that run-program alone decides about exit codes.
    command.exitOverride()
    command.configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    })
    command.showHelpAfterError('(--help shows what there is)')
    command.helpOption('-h, --help', 'show this help')
    command.configureHelp({ optionDescription: describeOption })
  }
  return program
}

/** Choices and default, but not the environment variable: it follows from the flag's name. */
function describeOption(option: Option): string {
  const notes: string[] = []
  if (option.argChoices) notes.push(option.argChoices.join(' | '))
  const shown = option.defaultValueDescription ?? option.defaultValue
  if (shown !== undefined && shown !== false) notes.push(`default: ${String(shown)}`)
  return notes.length > 0 ? `${option.description} (${notes.join('; ')})` : option.description
}

function exitCodes(): string {
  const person = Object.entries(ERRORS)
    .filter(([, { exit }]) => exit === 20)
    .map(([code]) => code)
  return `Exit codes:
  0 done, 1 failed, 2 usage, 10 store unreachable or the named thing missing,
  20 a person must look (${person.slice(0, 3).join(', ')}, …)

Every --flag is also an environment variable: --log-level is MEILI_HA_LOG_LEVEL.
S3 credentials, region and endpoint come from the usual AWS_* variables.
`
}

declare const MEILI_HA_VERSION: string | undefined

/** The bundler writes it in; a checkout reads it. */
function version(): string {
  if (typeof MEILI_HA_VERSION === 'string') return MEILI_HA_VERSION
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
