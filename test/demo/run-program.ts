import { cliOf } from '../uploader/programs.ts'
import { startProgram } from '../harness/process.ts'

/** Runs one of our programs to its end, as a user would; what it printed. */
export async function runProgram(
  program: Parameters<typeof cliOf>[0],
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  await using child = startProgram(cliOf(program), args, { env })
  const { code } = await child.exited
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}:\n${child.output()}`)
  return child.stdout()
}
