import { fileURLToPath } from 'node:url'
import { MeiliHaError } from '../errors.ts'

const HINT = 'Give --store s3://bucket/prefix or --store file:///absolute/directory.'

/** Bucket and prefix of an `s3://` URL. @throws USAGE */
export function parseS3(url: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9._-]{1,62})(\/.*)?$/i.exec(url)
  if (!match) throw wrongUrl('that is no bucket; credentials go into AWS_* variables')
  const prefix = (match[2] ?? '').replace(/^\/+|\/+$/g, '')
  // oxlint-disable-next-line no-control-regex
  if (/[?#\\\u0000-\u001f]|\/\/|(^|\/)\.\.?(\/|$)/.test(prefix)) throw wrongUrl('bad prefix')
  return { bucket: match[1]!, prefix }
}

/** The directory of a `file://` URL. @throws USAGE */
export function parseFile(url: string): string {
  try {
    const parsed = new URL(url)
    if (parsed.search || parsed.hash) throw wrongUrl('a file:// URL takes no ? and no #')
    return fileURLToPath(parsed).replace(/(?<=.)\/+$/, '')
  } catch (cause) {
    if (cause instanceof MeiliHaError) throw cause
    throw wrongUrl('a file:// URL takes an absolute path: file:///dir')
  }
}

/** The URL itself stays out of it: it may hold a password that never belonged there. */
export function wrongUrl(what: string): MeiliHaError {
  return new MeiliHaError('USAGE', `--store: ${what}`, { hint: HINT })
}
