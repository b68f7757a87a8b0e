import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERRORS } from '@meili-ha/core/errors.ts'
import { bare, REPO, tableAfter } from './markdown.ts'
import { page } from './page.ts'

const index = page('runbooks/README.md')
const pages = readdirSync(`${REPO}/deploy/runbooks`)
  .filter((name) => name !== 'README.md')
  .sort()

test('the index maps every error that a person must look at, and no other', () => {
  const mapped = tableAfter(index.text, 'exit 20').map(([code = '']) => bare(code))
  const real = Object.entries(ERRORS).filter(([, { exit }]) => exit === 20)
  expect(mapped).toEqual(real.map(([code]) => `MEILI_HA_${code}`))
})

test('the index links every page, and none that is missing', () => {
  const linked = [...index.text.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) => name)
  expect(new Set(linked)).toEqual(new Set(pages))
})

test.each(pages.filter((name) => name !== 'alerts.md'))(
  '%s says when, what is at stake, the steps, how to check and how to back out',
  (name) => {
    const { text, blocks } = page(`runbooks/${name}`)
    for (const part of ['**When:**', '**At stake:**', '## Steps', '## Check', '## Back out']) {
      expect(text).toContain(part)
    }
    expect(blocks('## Steps').filter(({ info }) => info.startsWith('sh test'))).not.toEqual([])
    // A shell block without a tag would be run by nobody.
    expect(blocks().filter(({ info }) => /^sh(?! test)/.test(info))).toEqual([])
  },
)
