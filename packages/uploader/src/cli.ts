#!/usr/bin/env node
import { runProgram } from '@meili-ha/core/cli/run-program.ts'
import { uploaderCommand } from './commands/uploader-command.ts'

await runProgram(process, uploaderCommand)
