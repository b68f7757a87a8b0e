import { fetcherCommand } from '@meili-ha/fetcher/commands/fetcher-command.ts'
import { runInPlace } from '../harness/in-place.ts'

/** `fetcher ARGS` inside the test's own process: what it prints, and its exit code. */
export const runFetcher = (args: readonly string[], env: Record<string, string> = {}) =>
  runInPlace(fetcherCommand, args, env)
