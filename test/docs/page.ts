import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { blocksOf, REPO, type Block } from './markdown.ts'
import type { NewUser } from './new-user.ts'

/** A page below `deploy`, as the one who follows it needs it. */
export interface Page {
  path: string
  text: string
  /** The shell blocks of one section (`## …`, or `### …` within one), or of all. */
  blocks: (heading?: string) => Block[]
}

export function page(path: string): Page {
  const text = readFileSync(`${REPO}/deploy/${path}`, 'utf8')
  return {
    path,
    text,
    blocks: (heading) => {
      const all = blocksOf(text)
      if (heading === undefined) return all
      const lines = text.split('\n')
      const from = lines.indexOf(heading)
      if (from < 0) throw new Error(`${path} has no section ${heading}`)
      const level = heading.startsWith('### ') ? /^#{2,3} / : /^## /
      const next = lines.findIndex((line, at) => at > from && level.test(line))
      return all.filter(({ line }) => line > from && (next < 0 || line <= next))
    },
  }
}

/**
 * Runs what a section says, each block in the shell that its tag names (`sh test=standby`; `sh test` is the
 * primary's), and holds that it says what the `text` block below it shows; `…` stands for anything.
 * @returns what was said
 */
export async function follow(
  { path, blocks }: Page,
  heading: string,
  shells: Readonly<Record<string, NewUser>>,
): Promise<string> {
  let said = ''
  let last = { stdout: '', here: (documented: string) => documented }
  for (const { info, text, line } of blocks(heading)) {
    const where = `${path} line ${line}`
    if (info === 'text') expectShown(last.stdout, last.here(text), where)
    const [, , name = 'primary'] = /^sh test(=([\w-]+))?$/.exec(info) ?? [undefined, undefined, '']
    if (name === '') continue
    const user = shells[name]
    if (!user) throw new Error(`${where}: nobody is at ${name}`)
    const { code, stdout, output } = await user.run(text)
    expect(code, `${where}:\n${text}\n${output}`).toBe(0)
    last = { stdout, here: user.here }
    said += stdout
  }
  return said
}

/** Every line shown is there, in that order. */
function expectShown(said: string, shown: string, where: string): void {
  const lines = shown.trimEnd().split('\n')
  const patterns = lines.map((line) =>
    line
      .trim()
      .split(/\s*…\s*/)
      .map(literally)
      .join('.*'),
  )
  expect(said, where).toMatch(new RegExp(patterns.join('[^]*?')))
}

/** As it stands, but for how many blanks a table puts between columns. */
function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\s+/g, '\\s+')
}
