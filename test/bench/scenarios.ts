import { publish } from './publish.ts'
import { restore } from './restore.ts'
import type { Scenario } from './scenario.ts'

/** All of them, in the order in which `pnpm bench` runs them. */
export const SCENARIOS: readonly Scenario[] = [publish, restore]
