import { Option } from 'commander'
import type { Host } from './host.ts'

/** Everyday flags come first in --help, the rest after them. */
export const MORE = 'More options:'

export interface FlagOptions<T> {
  default?: T
  /** How the default reads in --help, where it differs from the value. */
  shown?: string
  parse?: (text: string) => T
  choices?: readonly string[]
  /** Shown under "More options". */
  more?: boolean
  /** The variable, where the mechanical name would stutter. */
  env?: string
}

/**
 * A flag that is also an environment variable, mechanically: `--lease-duration` is
 * `MEILI_HA_LEASE_DURATION`. Flag over environment over default. An empty variable counts as unset,
 * as compose and Helm write it for a value that isn't given.
 */
export function flag<T = string>(
  host: Host,
  flags: string,
  description: string,
  options: FlagOptions<T> = {},
): Option {
  const option = new Option(flags, description)
  const mechanical = `MEILI_HA_${option.long?.slice(2).toUpperCase().replaceAll('-', '_')}`
  const name = options.env ?? mechanical
  if (options.default !== undefined) option.default(options.default, options.shown)
  if (options.parse) option.argParser(options.parse)
  if (options.choices) option.choices(options.choices)
  if (options.more) option.helpGroup(MORE)
  if (host.env[name] !== '') option.env(name)
  return option
}
