/** A machine that is busy with other clusters takes a while; a promise that isn't kept by then isn't kept. */
export const LONG = { timeoutMs: 30_000, everyMs: 50 }

/** Failovers, restarts and read-backs in a row; each wait has its own, shorter limit. */
export const PATIENT = { timeout: 120_000 }
