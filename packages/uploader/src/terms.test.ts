import { expect, test } from 'vitest'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { tempDir } from './temp-dir.fixture.ts'
import { permitTerms } from './terms.ts'

test('only a primary permit that is in force on this boot gives an epoch to publish in', async () => {
  await using dir = await tempDir()
  const ha = new HaDir(dir.path)
  const terms = permitTerms(ha, { now: () => 5000, bootId: () => 'b007' })
  expect(await terms.current()).toBeUndefined()
  const lines: [line: string, epoch: number | undefined][] = [
    ['primary 3 5001 5300 b007', 3],
    ['primary 3 5000 5300 b007', undefined],
    ['primary 3 5001 5300 b008', undefined],
    ['primary 3 5001 99000 b007', undefined],
    ['standby 3 - - b007', undefined],
    ['stop 3 - - b007', undefined],
    ['primary 3', undefined],
  ]
  for (const [line, epoch] of lines) {
    await ha.writeLine('permit', line)
    expect({ line, epoch: await terms.current() }).toEqual({ line, epoch })
  }
})
