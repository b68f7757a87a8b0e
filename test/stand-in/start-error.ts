/** A start that failed: `Error: …` on stderr, and exit code 1. */
export class StartError extends Error {}
