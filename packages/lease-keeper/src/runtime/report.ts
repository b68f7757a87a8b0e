import type { Action } from '../action.ts'

/** Something that happened, as a decision said it: for the log, metrics, Events and the promotion hook. */
export type Report = Omit<Extract<Action, { type: 'report' }>, 'type'>
