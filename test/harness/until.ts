/**
 * Waits until `probe` gives something truthy and returns it. A probe that throws isn't there yet.
 * @throws after `timeoutMs`, saying what was waited for, with the last error as cause
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  while (performance.now() < deadline) {
    try {
      const value = await probe()
      if (value) return value as Exclude<T, undefined | null | false | 0 | ''>
    } catch (error) {
      cause = error
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}`, { cause })
}
