import { createReadStream, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createInflateRaw } from 'node:zlib'
import { extract } from 'tar-stream'
import { StartError } from './start-error.ts'

/**
 * Unpacks a snapshot straight into `dbPath`, as Meilisearch does: no checksum is looked at, and a
 * kill in the middle leaves what was there by then.
 */
export async function unpack(file: string, dbPath: string, entryMs: number): Promise<void> {
  await mkdir(dbPath, { recursive: true })
  const tar = extract()
  let path = ''
  try {
    inflate(file)
      .once('error', (error) => tar.destroy(error))
      .pipe(tar)
    for await (const entry of tar) {
      path = entry.header.name
      await sleep(entryMs)
      const target = join(dbPath, path)
      if (entry.header.type === 'directory') await mkdir(target, { recursive: true })
      else {
        await mkdir(dirname(target), { recursive: true })
        await writeFile(target, entry as AsyncIterable<Buffer>, {
          mode: entry.header.mode ?? 0o644,
        })
      }
      entry.resume()
      path = ''
    }
  } catch (error) {
    throw unpackError(error as Error, path, dbPath)
  }
}

/** Gunzip without its checks: Meilisearch stops reading at the end of the tar, before the trailer. */
function inflate(file: string): Readable {
  const head = readFileSync(file).subarray(0, 1024)
  if (head.length === 0) throw new Error('unexpected end of file')
  if (head.readUInt16BE(0) !== 0x1f8b) throw new Error('invalid gzip header')
  const named = ((head[3] ?? 0) & 0x08) !== 0
  const start = named ? head.indexOf(0, 10) + 1 : 10
  const raw = createInflateRaw()
  return createReadStream(file, { start })
    .once('error', (error) => raw.destroy(error))
    .pipe(raw)
}

function unpackError(failure: Error, path: string, dbPath: string): StartError {
  const why = /unexpected end/i.test(failure.message) ? 'unexpected end of file' : failure.message
  if (path === '') return new StartError(`failed to iterate over archive\n\nCaused by:\n    ${why}`)
  const target = join(dbPath, path)
  return new StartError(
    `failed to unpack \`${target}\`\n\nCaused by:\n` +
      `    0: failed to unpack \`${path}\` into \`${target}\`\n    1: ${why}`,
  )
}
