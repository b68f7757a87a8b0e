import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface BundledPackage {
  name: string
  version: string
  license: string
  /** What its licence files say; empty where it ships none. */
  text: string
}

/** The packages from which a bundle's inputs come, by name. */
export async function packagesOf(
  inputs: readonly string[],
  root: string,
): Promise<BundledPackage[]> {
  const folders = new Set(inputs.filter((input) => input.includes('node_modules/')).map(folderOf))
  const found = await Promise.all([...folders].map((folder) => describe(join(root, folder))))
  return found.toSorted((a, b) => compare(`${a.name}@${a.version}`, `${b.name}@${b.version}`))
}

/** `…/node_modules/@scope/name` of a path below it. */
function folderOf(input: string): string {
  const match = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)
  if (!match) throw new Error(`${input} is of no package`)
  return match[0]
}

async function describe(folder: string): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  ) as Record<string, string>
  if (!name || !version || !license) throw new Error(`${folder} names no licence`)
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
  const texts = await Promise.all(
    files.toSorted().map((file) => readFile(join(folder, file), 'utf8')),
  )
  return { name, version, license, text: texts.map((text) => text.trim()).join('\n\n') }
}

/** What a redistribution has to carry along; a text that many packages share stands once. */
export function formatNotices(program: string, packages: readonly BundledPackage[]): string {
  const line = '-'.repeat(72)
  const byText = Map.groupBy(packages, ({ text }) => text)
  const texts = [...byText].map(([text, those]) =>
    [line, ...those.map(title), line, text || 'No licence text comes with these.'].join('\n'),
  )
  const head = `meili-ha ${program} (MIT) contains the following packages under their own licences.`
  return `${[head, ...texts].join('\n\n')}\n`
}

const title = ({ name, version, license }: BundledPackage) => `${name} ${version} (${license})`

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
