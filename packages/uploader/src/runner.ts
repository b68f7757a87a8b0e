import * as z from 'zod'
import type { ListenAddress } from '@meili-ha/core/cli/units.ts'

const statusSchema = z.looseObject({ program: z.literal('uploader'), store: z.string() })

/** True when an `uploader run` for the same store answers on this machine's `--listen` address. */
export async function runnerIsAlive(listen: ListenAddress, store: string): Promise<boolean> {
  if (listen === 'off') return false
  try {
    const url = `http://${listen.host ?? '127.0.0.1'}:${listen.port}/status`
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) })
    return statusSchema.safeParse(await answer.json()).data?.store === store
  } catch {
    return false
  }
}
