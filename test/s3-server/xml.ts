type XmlValue = string | number | boolean | undefined | XmlNode | XmlNode[]
export interface XmlNode {
  [name: string]: XmlValue
}

/** A document of elements; an array repeats its element, undefined leaves it out. */
export function toXml(root: string, node: XmlNode): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${inner(node)}</${root}>`
}

function inner(node: XmlNode): string {
  const element = (name: string, value: XmlValue) =>
    value === undefined ? '' : `<${name}>${text(value)}</${name}>`
  return Object.entries(node)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((v) => element(name, v)),
    )
    .join('')
}

function text(value: XmlValue): string {
  if (typeof value === 'object') return inner(value as XmlNode)
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** The parts of a CompleteMultipartUpload document. */
export function parseParts(xml: string): { number: number; etag: string; sha256?: string }[] {
  return [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
    const value = (name: string) =>
      new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(part)?.[1]?.replaceAll('&quot;', '"')
    const sha256 = value('ChecksumSHA256')
    return {
      number: Number(value('PartNumber')),
      etag: (value('ETag') ?? '').replaceAll('"', ''),
      ...(sha256 !== undefined && { sha256 }),
    }
  })
}
