import type { Document, Index } from './model.ts'

export interface Query {
  q?: string | null
  offset?: number
  limit?: number
  attributesToRetrieve?: string[]
}

/** Every word of the query must begin a word of the document; in the order they were added. */
export function search(index: Index, query: Query): Record<string, unknown> {
  const { q = '', offset = 0, limit = 20, attributesToRetrieve = ['*'] } = query
  const wanted = wordsOf(q ?? '')
  const hits = [...index.documents.values()].filter((document) => {
    const words = wordsOf(JSON.stringify(Object.values(document)))
    return wanted.every((want) => words.some((word) => word.startsWith(want)))
  })
  return {
    hits: hits.slice(offset, offset + limit).map((hit) => only(hit, attributesToRetrieve)),
    query: q ?? '',
    processingTimeMs: 0,
    limit,
    offset,
    estimatedTotalHits: hits.length,
  }
}

/** How often each value of a field occurs. */
export function facetSearch(index: Index, facet: string, begin = ''): Record<string, unknown> {
  const counts = new Map<string, number>()
  for (const document of index.documents.values()) {
    const values = [document[facet] ?? []].flat() as (string | number)[]
    for (const value of values) {
      counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
    }
  }
  const facetHits = [...counts]
    .filter(([value]) => value.toLowerCase().startsWith(begin.toLowerCase()))
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([value, count]) => ({ value, count }))
  return { facetHits, facetQuery: begin === '' ? null : begin, processingTimeMs: 0 }
}

export function only(document: Document, fields: readonly string[]): Document {
  if (fields.includes('*')) return document
  return Object.fromEntries(Object.entries(document).filter(([name]) => fields.includes(name)))
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
}
