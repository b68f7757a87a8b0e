import { readFileSync } from 'node:fs'

/**
 * Preloaded into a program (`node --import`), it makes the wall clock jump when a test says so: the
 * file that TEST_CLOCK names holds the hours to add. Boot time stays what it is.
 */
const path = process.env['TEST_CLOCK'] ?? ''
const RealDate = Date

function shiftMs(): number {
  try {
    return Number(readFileSync(path, 'utf8')) * 3_600_000
  } catch {
    return 0
  }
}

globalThis.Date = class extends RealDate {
  constructor(...args: [] | [number]) {
    if (args.length === 0) super(RealDate.now() + shiftMs())
    else super(...args)
  }
  static override now(): number {
    return RealDate.now() + shiftMs()
  }
} as DateConstructor
