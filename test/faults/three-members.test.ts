import { expect, test } from 'vitest'
import { has, write } from '../cluster/documents.ts'
import { failsOver, settled, startTrial } from './fault-table.ts'

test('of three members one at a time leads, however often the leader loses its power', async () => {
  await using trial = await startTrial('L = 5 s, three members', {}, () => ({}), 3)
  const { cluster } = trial
  for (let round = 1; round <= 2; round++) {
    const [primary] = await settled(trial)
    const epochs = new Set(trial.watch.terms.map(({ epoch }) => epoch)).size
    await failsOver(trial, `power loss, ${round}`, primary, () => primary.powerOff())
    // The two that raced for it took one epoch together.
    expect(new Set(trial.watch.terms.map(({ epoch }) => epoch)).size).toBe(epochs + 1)
    await primary.powerOn()
  }
  const [leader] = await settled(trial)
  await write(leader, 2)
  expect(await has(leader, 1)).toBe(true)
  expect(cluster.members).toHaveLength(3)
})
