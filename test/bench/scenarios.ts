import { listed } from './listed.ts'
import { idle } from './idle.ts'
import { publish } from './publish.ts'
import { restore } from './restore.ts'
import type { Scenario } from './scenario.ts'
import { serve } from './serve.ts'
import { start } from './start.ts'
import { swap } from './swap.ts'

/** All of them, in the order in which `pnpm bench` runs them. */
export const SCENARIOS: readonly Scenario[] = [publish, restore, serve, listed, swap, start, idle]
