import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Wake } from './wake.ts'

test('many calls while nobody waits count as one', async () => {
  const { signal } = new AbortController()
  const wake = new Wake()
  wake.up()
  wake.up()
  await wake.next(signal)
  let woken = false
  const next = wake.next(signal).then(() => (woken = true))
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(woken).toBe(false)
  wake.up()
  await next
})

test('an abort wakes, and a wait leaves nothing behind at the signal', async () => {
  const stop = new AbortController()
  const wake = new Wake()
  for (let n = 0; n < 3; n++) {
    const next = wake.next(stop.signal)
    wake.up()
    await next
  }
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  const last = wake.next(stop.signal)
  stop.abort()
  await last
})
