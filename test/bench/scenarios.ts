import { idle } from './idle.ts'
import { listed } from './listed.ts'
import { loseLess } from './lose-less.ts'
import { publish } from './publish.ts'
import { restore } from './restore.ts'
import { retention } from './retention.ts'
import type { Scenario } from './scenario.ts'
import { serve } from './serve.ts'
import { standbys } from './standbys.ts'
import { start } from './start.ts'
import { steps } from './steps.ts'
import { swap } from './swap.ts'

/** All of them, in the order in which `pnpm bench` runs them. */
export const SCENARIOS: readonly Scenario[] = [
  ...[publish, restore, steps, serve, listed, swap, start, idle],
  ...[retention, standbys, loseLess],
]
