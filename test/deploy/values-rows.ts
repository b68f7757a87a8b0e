import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml'
import { CHART } from './helm.ts'

export interface ValueRow {
  /** `uploader.image.tag` */
  name: string
  default: string
  says: string
}

/** The values that are documented, as they stand in values.yaml: those below a `# --` comment. */
export function valueRows(): ValueRow[] {
  const document = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
  return rowsOf(document.contents as YAMLMap, '')
}

/** Every name in values.yaml that has no values below it, or is documented as a whole. */
function rowsOf(map: YAMLMap, prefix: string): ValueRow[] {
  return map.items.flatMap((pair, index) => {
    const key = pair.key as { value: string; commentBefore?: string }
    const name = `${prefix}${key.value}`
    // The first comment of a map belongs to the map.
    const comment = key.commentBefore ?? (index === 0 ? (map.commentBefore ?? '') : '')
    const says = comment.split('\n').find((line) => line.startsWith(' -- '))
    if (says !== undefined) {
      const value = JSON.stringify((pair.value as { toJSON(): unknown }).toJSON())
      return [{ name, default: value, says: says.slice(4) }]
    }
    if (isMap(pair.value)) return rowsOf(pair.value, `${name}.`)
    if (isScalar(pair.value)) throw new Error(`${name} has no comment`)
    throw new Error(`${name}: unknown kind of value`)
  })
}

export function tableOf(rows: readonly ValueRow[]): string {
  const lines = rows.map(
    ({ name, default: value, says }) => `| \`${name}\` | \`${value}\` | ${says} |`,
  )
  return ['| value | default | says |', '| --- | --- | --- |', ...lines].join('\n')
}
