import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const REPO = fileURLToPath(new URL('../..', import.meta.url))

export interface Block {
  /** The words after the three backticks. */
  info: string
  text: string
  /** Of its first line in the file. */
  line: number
}

export function readme(): string {
  return document('README.md')
}

/** Where everything can be looked up. */
export function reference(): string {
  return document('deploy/reference.md')
}

/** @param path in the repository */
export function document(path: string): string {
  return readFileSync(join(REPO, path), 'utf8')
}

/** The fenced code blocks, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: Block | undefined
  markdown.split('\n').forEach((text, index) => {
    if (!text.startsWith('```')) {
      if (open) open.text += `${text}\n`
    } else if (open) {
      blocks.push(open)
      open = undefined
    } else open = { info: text.slice(3).trim(), text: '', line: index + 2 }
  })
  return blocks
}

/** The rows of the table below `<!-- marker -->`, as cells without their backticks. */
export function tableAfter(markdown: string, marker: string): string[][] {
  const [, after] = markdown.split(`<!-- ${marker} -->\n`)
  if (after === undefined) throw new Error(`there is no <!-- ${marker} -->`)
  const [table = ''] = after.trimStart().split('\n\n')
  const [, , ...rows] = table
    .trimEnd()
    .split('\n')
    .map((row) => row.split('|').slice(1, -1))
  return rows.map((cells) => cells.map((cell) => cell.trim()))
}

/** `code` without its backticks. */
export function bare(cell: string): string {
  return cell.replaceAll('`', '')
}
