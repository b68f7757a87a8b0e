import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FileNames } from '@meili-ha/core/store/file-names.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startChild } from './child.ts'

const PART = 1024 * 1024

describe('a directory that several processes use', () => {
  let directory: string
  let root: string
  let url: string
  let store: Store

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meili-ha-processes-'))
    root = join(directory, 'store')
    url = pathToFileURL(root).href
    store = openStore(url)
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('gives each race one winner, and loses no update', async () => {
    const rounds = 40
    await store.put('counter', '00000000')
    const children = ['a', 'b', 'c', 'd'].map((name) => ({
      name,
      child: startChild('race-child.ts', [url, name, `${rounds}`]),
    }))
    const won = await Promise.all(
      children.map(async ({ name, child }) => {
        expect([await child.ended, child.output()]).toEqual([0, expect.stringMatching(/^\{.*\}$/m)])
        const { created, counted } = JSON.parse(child.output()) as Won
        return { name, created, counted }
      }),
    )
    const owners = won.flatMap(({ name, created }) => created.map((key) => ({ key, name })))
    expect(owners).toHaveLength(rounds)
    for (const { key, name } of owners) {
      expect((await store.get(key)).body.toString()).toBe(name)
    }
    const counted = won.reduce((sum, child) => sum + child.counted, 0)
    expect(Number((await store.get('counter')).body.toString())).toBe(counted)
    expect(counted).toBeGreaterThan(0)
    expect(await store.listUploads('')).toEqual([])
  })

  it('refuses to guess while a frozen process holds a key, and goes on when it dies', async () => {
    const { etag } = await store.put('mine', 'before')
    const holder = startChild('lock-child.ts', [root, 'mine'])
    await expect.poll(holder.output, { timeout: 20_000 }).toContain('held')
    holder.kill('SIGSTOP')
    const soon = { timeoutMs: 300 }
    const unreachable = { code: 'MEILI_HA_STORE_UNREACHABLE' }
    await expect(store.put('mine', 'x', { ...soon, ifMatch: etag })).rejects.toMatchObject(
      unreachable,
    )
    await expect(store.put('mine', 'x', soon)).rejects.toMatchObject(unreachable)
    expect((await store.get('mine')).body.toString()).toBe('before')
    await store.put(otherLock('mine'), 'goes on', soon)

    holder.kill('SIGKILL')
    await holder.ended
    await store.put('mine', 'after', { ifMatch: etag })
    expect((await store.get('mine')).body.toString()).toBe('after')
  })

  function otherLock(key: string): string {
    const names = new FileNames(root)
    const keys = Array.from({ length: 300 }, (_, i) => `other-${i}`)
    return keys.find((other) => names.lock(other) !== names.lock(key))!
  }

  it('shows nothing of an upload that was killed, and the next one removes its remains', async () => {
    const path = join(directory, 'file')
    await writeFile(path, randomBytes(3 * PART))
    const child = startChild('upload-child.ts', [url, 'big', path, `${PART}`, '1'])
    await expect.poll(child.output, { timeout: 20_000 }).toContain('part 1 sent')
    child.kill('SIGKILL')
    await child.ended
    expect(await store.list('')).toEqual([])
    expect(await store.listUploads('big')).toHaveLength(1)

    const next = startChild('upload-child.ts', [url, 'big', path, `${PART}`])
    expect([await next.ended, next.output()]).toEqual([0, expect.stringContaining('"parts":3')])
    expect((await store.get('big')).body.equals(await readFile(path))).toBe(true)
    expect(await store.listUploads('')).toEqual([])
  })

  it('prints no warning of its own', async () => {
    const child = startChild('lock-child.ts', [root, 'key'])
    await expect.poll(child.output, { timeout: 20_000 }).toContain('held')
    child.kill('SIGKILL')
    await child.ended
    expect(child.output()).toBe('held\n')
  })
})

interface Won {
  created: string[]
  counted: number
}
