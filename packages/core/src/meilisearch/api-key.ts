import { readFile } from 'node:fs/promises'
import { MeiliHaError } from '../errors.ts'

/** Gives the key for one request; undefined = send none. */
export type ApiKeySource = () => Promise<string | undefined>

/**
 * Where the Meilisearch key comes from: `--api-key-file`, else the value of MEILI_HA_API_KEY.
 * A file is read for every request, so that a rotated Secret works without a restart.
 * @throws MEILI_DENIED (the source too) when the file can't be read, or what it holds is no key
 */
export function apiKeySource(from: {
  file?: string | undefined
  value?: string | undefined
}): ApiKeySource {
  const { file, value } = from
  if (file === undefined) {
    const key = value?.trim() ? checked(value, 'MEILI_HA_API_KEY') : undefined
    return async () => key
  }
  return async () => {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new MeiliHaError('MEILI_DENIED', `the key file ${file} can't be read`, { cause })
    })
    return checked(text, file)
  }
}

/** Checked here, because Node's error for a bad header would be read as "unreachable". */
function checked(text: string, from: string): string {
  const key = text.trim()
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw new MeiliHaError('MEILI_DENIED', `${from} holds no key: one printable word is expected`)
}
