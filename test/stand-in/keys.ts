import { createHmac, randomUUID } from 'node:crypto'
import type { Database } from './database.ts'
import type { Key } from './model.ts'

/** What a request may do: null indexes = all. */
export interface Access {
  indexes: readonly string[] | null
}

/** Actions that a key for some indexes can't have: they concern the whole instance. */
export const GLOBAL = /^(snapshots|dumps|keys|metrics)\.|^version$/

const EVERYTHING: Access = { indexes: null }

/** The value of a key follows from the master key and its uid, so a snapshot carries no secret. */
export function keyValue(masterKey: string, uid: string): string {
  return createHmac('sha256', masterKey).update(uid).digest('hex')
}

/** As a fresh instance with a master key has them. */
export function addDefaultKeys(database: Database, now: string): void {
  const add = (name: string, actions: string[]) =>
    database.saveKey(newKey({ name, actions, indexes: ['*'] }, now))
  add('Default Search API Key', ['search'])
  add('Default Admin API Key', ['*'])
}

export function newKey(from: Partial<Key>, now: string): Key {
  const { name = null, description = null, uid = randomUUID(), expiresAt = null } = from
  const { actions = [], indexes = [] } = from
  return { name, description, uid, actions, indexes, expiresAt, createdAt: now, updatedAt: now }
}

/** `missing` and `invalid` are the two refusals that Meilisearch knows. */
export function authorize(
  database: Database,
  masterKey: string | undefined,
  authorization: string | undefined,
  need: { action: string; indexUid?: string },
  now: number,
): Access | 'missing' | 'invalid' {
  if (masterKey === undefined) return EVERYTHING
  const given = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
  if (given === undefined) return 'missing'
  if (given === masterKey) return EVERYTHING
  const key = [...database.keys.values()].find((one) => keyValue(masterKey, one.uid) === given)
  const expired = key?.expiresAt && Date.parse(key.expiresAt) <= now
  if (!key || expired || !key.actions.some((action) => covers(action, need.action)))
    return 'invalid'
  if (key.indexes.includes('*')) return EVERYTHING
  const foreign = need.indexUid !== undefined && !key.indexes.includes(need.indexUid)
  return foreign || GLOBAL.test(need.action) ? 'invalid' : { indexes: key.indexes }
}

function covers(action: string, needed: string): boolean {
  if (action === '*') return true
  return action.endsWith('.*') ? needed.startsWith(action.slice(0, -1)) : action === needed
}
