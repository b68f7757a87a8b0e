#!/usr/bin/env node
import { runLean } from '@meili-ha/core/cli/run-lean.ts'

runLean()
const { runProgram } = await import('@meili-ha/core/cli/run-program.ts')
const { keeperCommand } = await import('./commands/keeper-command.ts')
await runProgram(process, keeperCommand)
