import { describe, expect, test } from 'vitest'
import { isStatementDue, parseStatement, silentMs, type Statement } from './statement.ts'

const SAID: Statement = {
  member: 'meili-0',
  role: 'standby',
  phase: 'standby',
  epoch: 3,
  snapshot: '0000000003-0000000002',
  snapshotStartedAt: '2026-01-02T03:04:00.000Z',
  lagMs: 1200,
  notReady: null,
  handoverMs: 900,
  promoted: { epoch: 2, at: '2026-01-01T00:00:00.000Z', lossMs: 900 },
  statedAt: '2026-01-02T03:04:05.678Z',
}

const MINUTE = 6000

test('a member states itself at first, then on change, at most once a minute', () => {
  const last = { statement: SAID, at: 1000 }
  const changed: Statement = { ...SAID, lagMs: 2300, statedAt: '2026-01-02T03:09:05.678Z' }
  expect(isStatementDue(SAID, undefined, 0)).toBe(true)
  expect(isStatementDue(changed, last, 1000 + MINUTE - 1)).toBe(false)
  expect(isStatementDue(changed, last, 1000 + MINUTE)).toBe(true)
})

test('who leads and who could is said within two seconds', () => {
  const last = { statement: SAID, at: 1000 }
  const news: Partial<Statement>[] = [
    { role: 'primary' },
    { phase: 'promoting' },
    { epoch: 4 },
    { notReady: 'the store does not answer' },
    { handoverMs: null },
    { promoted: null },
  ]
  for (const change of news) {
    expect(isStatementDue({ ...SAID, ...change }, last, 1199)).toBe(false)
    expect(isStatementDue({ ...SAID, ...change }, last, 1200)).toBe(true)
  }
})

test('a member says every minute that it is there, with nothing else to say', () => {
  const later = { ...SAID, statedAt: '2026-01-02T05:00:00.000Z' }
  expect(isStatementDue(later, { statement: SAID, at: 0 }, MINUTE - 1)).toBe(false)
  expect(isStatementDue(later, { statement: SAID, at: 0 }, MINUTE)).toBe(true)
})

describe('a member is silent', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 2, 3, minute))
  const said: Statement = { ...SAID, statedAt: at(0).toISOString() }

  test('when it has missed two of its statements', () => {
    expect(silentMs(said, at(2).toISOString(), at(2))).toBeNull()
    expect(silentMs(said, at(10).toISOString(), at(10))).toBe(600_000)
  })

  test("only when the leader's clock and that of who asks agree: one of them may be wrong", () => {
    expect(silentMs(said, at(1).toISOString(), at(60))).toBeNull()
    expect(silentMs(said, at(60).toISOString(), at(1))).toBeNull()
    expect(silentMs(said, 'never', at(60))).toBeNull()
  })
})

test('a statement is read back, with what a later version adds; anything else is none', () => {
  const extended = { ...SAID, added: 'later' }
  expect(parseStatement(JSON.stringify(extended))).toEqual(extended)
  for (const text of [
    '',
    '{}',
    'null',
    '{"member":"x"}',
    JSON.stringify({ ...SAID, role: 'king' }),
  ]) {
    expect(parseStatement(text)).toBeUndefined()
  }
})
