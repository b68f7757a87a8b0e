import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { document, REPO } from './markdown.ts'

const pages = [
  'README.md',
  'docker/README.md',
  'test/bench/README.md',
  'test/e2e/README.md',
  ...readdirSync(join(REPO, 'deploy'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `deploy/${name}`),
]

/** As GitHub makes them of headings. */
const anchorsOf = (page: string) =>
  [...document(page).matchAll(/^#{1,6} (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )

for (const page of pages) {
  test(`${page}: every link within the repository leads somewhere`, () => {
    const dead = [...document(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(
      ([, link = '']) => {
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? page : join(dirname(page), path)
        if (!existsSync(join(REPO, target))) return [link]
        return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [link]
      },
    )
    expect(dead).toEqual([])
  })
}
