import type { Bench } from './bench.ts'
import type { Recorder } from './recorder.ts'

/** One thing that is measured, with goals; one file each, listed in scenarios.ts. */
export interface Scenario {
  /** As `--only` names it. */
  name: string
  /** One line, as `--list` shows it. */
  sentence: string
  columns: readonly Column[]
  goals?: readonly Goal[]
  /** Measures, and records what it measured. Only what goes wrong with everything is thrown. */
  run(bench: Bench, record: Recorder): Promise<void>
}

/** One quantity of each row. */
export interface Column {
  name: string
  unit: string
  /** Digits after the point; one unless told. */
  digits?: number
  /** What stands for all runs: the median unless told, the highest where a limit meets it. */
  of?: 'median' | 'highest'
  /** Shown with the lowest and highest run. */
  spread?: true
  /** Adds a column: ours divided by this. */
  ratio?: true
  /** Worked out from other rows; a row without it has nothing to be judged by. */
  derived?: true
}

/** What a way is held to, for every `what` that it was measured with. */
export interface Goal {
  column: string
  /** `how` of the rows that are held to it. */
  how: string
  most: number
  /** `how` of what it is divided by; unless told, the value itself is held to it. */
  against?: string
  /** For this `what` alone. */
  what?: string
  /** Missing it fails the bench; the others depend on what the machine does meanwhile. */
  hard?: true
}

/** Values by column, of one run. */
export type Values = Readonly<Record<string, number>>
