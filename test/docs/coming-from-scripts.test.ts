import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FIXTURES } from '../uploader/programs.ts'
import { newUser } from './new-user.ts'
import { follow, page } from './page.ts'

test('a script’s last snapshot is published, and can be restored', async () => {
  await using user = await newUser()
  await copyFile(join(FIXTURES, 'catalogue.snapshot'), join(user.cwd, 'latest.ms.snapshot'))
  const said = await follow(page('coming-from-scripts.md'), '## The order of change', {
    primary: user,
  })
  expect(said).toMatch(/^0000000000-0000000001$/m)
  expect(said).toMatch(/^restored 0000000000-0000000001/m)
})
