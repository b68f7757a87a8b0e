// pnpm bundle [--out DIR]
// One directory per program, dist/<program>, that needs nothing but Node: what an image contains.
import { isAbsolute, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundleProgram, PROGRAMS } from './bundle-program.ts'

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
const out = isAbsolute(values.out) ? values.out : join(process.cwd(), values.out)

for (const program of PROGRAMS) {
  const { bytes, bundled } = await bundleProgram(program, join(out, program))
  const kib = Math.round(bytes / 1024)
  console.log(`${program}: ${kib} KiB, ${bundled.length} packages in it`)
}
