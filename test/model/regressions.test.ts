import { expect, test } from 'vitest'
import { EVEN, fault } from './fault-at.ts'
import type { Fault } from './faults.ts'
import { live, type History } from './history.ts'
import { CALM } from './network.ts'

interface Regression {
  faults: Fault[]
  cold?: boolean
  weather?: Partial<History['weather']>
  members?: History['members']
}

/** What once broke a promise, in the design's reviews or here. */
const REGRESSIONS: Record<string, Regression> = {
  'an unclaimed term that only a deleted record told of is not led a second time': {
    faults: [
      fault(20, 'partition from lease', 1, 38),
      fault(22, 'store outage', 0, 30),
      fault(23, 'partition from lease', 0, 12),
      fault(50, 'reboot', 0, 20),
      fault(54, 'delete record', 0),
    ],
  },
  'a restored backup with an old release marker is not believed by a keeper that just started': {
    cold: true,
    faults: [
      fault(5, 'switchover', 0),
      fault(20.2, 'restore record', 0),
      fault(20.5, 'kill keeper', 0),
      fault(20.5, 'kill keeper', 1),
    ],
  },
  'a record that is emptied twice does not look as if nobody had led in between': {
    cold: true,
    faults: [
      fault(15, 'empty record', 0),
      fault(25, 'freeze keeper', 1, 9),
      fault(33, 'empty record', 0),
    ],
  },
  'a drained write is not lost to a member that has not listed for long': {
    faults: [fault(10, 'freeze fetcher', 1, 12), fault(20, 'switchover', 0)],
  },
  'a snapshot that arrives after the next has listed does not keep it from leading': {
    weather: { late: 0.3 },
    faults: [fault(20, 'partition from lease', 0, 90), fault(34, 'freeze uploader', 1, 30)],
  },
  'a late label of a rebooted member does not lead clients to a standby': {
    weather: { late: 0.3, answerLost: 0.3 },
    faults: [fault(5, 'reboot', 0, 3), fault(40, 'reboot', 1, 3), fault(70, 'reboot', 0, 3)],
  },
  'a lease request that arrives late does not make its term look younger': {
    cold: true,
    weather: { lost: 0.3, late: 0.2, answerLost: 0.3 },
    faults: [fault(20, 'empty record', 0), fault(60, 'empty record', 0)],
  },
}

test.each(Object.entries(REGRESSIONS))(
  '%s',
  (_name, { faults, cold = false, weather, members }) => {
    for (let seed = 1; seed <= 40; seed++) {
      live({ seed, members: members ?? EVEN, weather: { ...CALM, ...weather }, faults, cold })
    }
  },
)

test('a crash at any moment of the very first promotion locks nobody out', () => {
  for (let at = -10; at < 0; at += 0.25) {
    const faults = [fault(at, 'reboot', 0, 5)]
    const world = live({ seed: 1, members: EVEN, weather: CALM, faults, cold: false })
    expect(world.isServing()).toBe(true)
  }
})
