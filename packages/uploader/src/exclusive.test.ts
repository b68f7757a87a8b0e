import { expect, test } from 'vitest'
import { Exclusive } from './exclusive.ts'

test('runs one piece of work at a time, in the order asked, past one that fails', async () => {
  const exclusive = new Exclusive()
  const steps: string[] = []
  const work = (name: string) =>
    exclusive.run(async () => {
      steps.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      steps.push(`${name} ends`)
      if (name === 'a') throw new Error(name)
      return name
    })
  const [a, b, c] = await Promise.allSettled([work('a'), work('b'), work('c')])
  expect(steps).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]))
  expect([a.status, b.status, c.status]).toEqual(['rejected', 'fulfilled', 'fulfilled'])
})
