#!/usr/bin/env node
import { runProgram } from '@meili-ha/core/cli/run-program.ts'
import { fetcherCommand } from './commands/fetcher-command.ts'

await runProgram(process, fetcherCommand)
