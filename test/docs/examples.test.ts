import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { containerProblems } from '../deploy/container-problems.ts'
import { containersOf, manifestsIn, programOf } from '../deploy/manifest.ts'
import { missingVolumes } from '../deploy/missing-volumes.ts'
import { REPO } from './markdown.ts'

const DIR = `${REPO}/deploy/examples`
const FILES = readdirSync(DIR).filter((name) => name.endsWith('.yaml'))
const read = (file: string) => manifestsIn(readFileSync(`${DIR}/${file}`, 'utf8'))
const everything = FILES.flatMap(read)

test.each(FILES)('%s: the real programs take every command and variable', async (file) => {
  const containers = containersOf(read(file))
  expect(containers.filter((container) => programOf(container))).not.toEqual([])
  const problems: string[] = []
  for (const container of containers) {
    problems.push(...(await containerProblems(container, everything)))
  }
  expect(problems).toEqual([])
})

test.each(FILES)('%s: every volume that is mounted is there', (file) => {
  expect(missingVolumes(read(file))).toEqual([])
})
