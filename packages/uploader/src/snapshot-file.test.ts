import { execFileSync } from 'node:child_process'
import { appendFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { assertUnchanged, identityAt, openSnapshot } from './snapshot-file.ts'
import { tempDir } from './temp-dir.fixture.ts'

test('there may be none yet', async () => {
  await using dir = await tempDir()
  expect(await openSnapshot(join(dir.path, 'x'))).toBeUndefined()
  expect(await identityAt(join(dir.path, 'x/y'))).toBeUndefined()
})

test('a rotation leaves the open file as it is; a write into it shows', async () => {
  await using dir = await tempDir()
  const path = join(dir.path, 'x')
  await writeFile(path, 'one')
  const file = await openSnapshot(path)
  if (!file) throw new Error('not opened')
  expect(await identityAt(path)).toBe(file.identity)
  await writeFile(`${path}.tmp`, 'two')
  await rename(`${path}.tmp`, path)
  await assertUnchanged(file)
  expect(await identityAt(path)).not.toBe(file.identity)
  await file.handle.close()

  const second = await openSnapshot(path)
  if (!second) throw new Error('not opened')
  await appendFile(path, '!')
  await expect(assertUnchanged(second)).rejects.toMatchObject({
    code: 'MEILI_HA_SNAPSHOT_DAMAGED',
  })
  await second.handle.close()
})

test('a link, a directory and a pipe are no snapshots', async () => {
  await using dir = await tempDir()
  await symlink('/etc/hostname', join(dir.path, 'link'))
  execFileSync('mkfifo', [join(dir.path, 'pipe')])
  for (const name of ['link', 'pipe', '.']) {
    await expect(openSnapshot(join(dir.path, name))).rejects.toMatchObject({
      code: 'MEILI_HA_SNAPSHOT_FOREIGN',
    })
  }
})
