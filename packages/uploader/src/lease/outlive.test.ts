import { expect, test } from 'vitest'
import { permitTerms } from '../terms.ts'
import { CLOCK, fakeMember } from './member.fixture.ts'
import { handedOver } from './outlive.ts'

const FINAL = { epoch: 2, id: '0000000002-0000000001', tarball: 'x' }

/** `over` tells whether it may end; @param leapMs of its clock at every look; @param want as it lies there already */
async function leaving(permit: string | undefined, leapMs = 0, want?: string) {
  const member = await fakeMember()
  const { ha, note } = member
  await note.set({ claimed: 2 })
  if (permit) await ha.writeLine('permit', permit)
  if (want) await ha.writeLine('want', want)
  let now = 0
  let over = false
  const done = handedOver(ha, permitTerms(ha, CLOCK), note, () => (now += leapMs)).then(
    () => (over = true),
  )
  return {
    ...{ ha, note, done },
    stillThere: async () => {
      await new Promise((resolve) => setTimeout(resolve, 600))
      return !over
    },
    [Symbol.asyncDispose]: () => member[Symbol.asyncDispose](),
  }
}

const primary = (epoch: number) =>
  `primary ${epoch} ${CLOCK.now() + 900} ${CLOCK.now() + 1200} b007`

test.each([undefined, 'standby 2 - - b007', 'stop 3 - - b007'])(
  'a standby ends at once (permit %s)',
  async (permit) => {
    await using uploader = await leaving(permit)
    await uploader.done
  },
)

test.each([() => primary(2), () => 'stop 2 - - b007'])(
  'a primary stays until its final is published, even if its permit went first (%#)',
  async (permit) => {
    await using uploader = await leaving(permit())
    expect(await uploader.stillThere()).toBe(true)
    await uploader.ha.writeLine('permit', 'stop 2 - - b007')
    await uploader.ha.writeLine('want', 'final 2')
    expect(await uploader.stillThere()).toBe(true)
    await uploader.note.set({ final: FINAL })
    await uploader.done
  },
)

test('a primary ends when its final can not be made', async () => {
  await using uploader = await leaving(primary(2))
  await uploader.note.set({ failed: { want: 'final 2', message: 'no' } })
  await uploader.done
})

test('a final that is being made is waited for, however long it takes', async () => {
  await using uploader = await leaving('stop 2 - - b007', 60_000, 'final 2')
  expect(await uploader.stillThere()).toBe(true)
})

test('a primary whose permit ended and whom nobody asks for a final ends in the end', async () => {
  await using uploader = await leaving(primary(2), 10_000)
  await uploader.ha.remove('permit')
  await uploader.done
})
