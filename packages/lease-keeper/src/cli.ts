#!/usr/bin/env node
import { runProgram } from '@meili-ha/core/cli/run-program.ts'
import { keeperCommand } from './commands/keeper-command.ts'

await runProgram(process, keeperCommand)
