/** The steps of a failover that the demo's table shows, in this order. */
export const STEPS = {
  lastWrite: 'last write acknowledged',
  detected: 'detected',
  stopped: 'old Meilisearch stopped',
  taken: 'lease taken over',
  caughtUp: 'caught up',
  promoted: 'promoted',
  firstSearch: 'first search again',
  firstWrite: 'first write again',
  rejoined: 'old primary rejoins',
} as const
export type Step = keyof typeof STEPS

/** What a line of a program's log means to a person; `step` where the table has a row for it. */
export interface Told {
  what: string
  step?: Step
}

const EVENTS: Record<string, Told> = {
  'keeper.lease_lost': { what: 'knows that its lease is lost' },
  'keeper.lease_released': { what: 'releases the lease: its Meilisearch is confirmed dead' },
  'keeper.unhealthy': { what: 'steps down: its Meilisearch is unhealthy' },
  'claim.written': { what: 'is level with the newest snapshot, and claims it', step: 'caughtUp' },
  'keeper.promoted': { what: 'is promoted', step: 'promoted' },
  'final.published': { what: 'publishes the final snapshot of its stopped directory' },
  'follow.set_aside': { what: 'sets its diverged data aside; only a person removes it' },
}

const PHASES: Record<string, Told> = {
  acquiring: { what: 'sees the lease free, and asks for it', step: 'detected' },
  promoting: { what: 'holds the lease', step: 'taken' },
  draining: { what: 'is asked to hand over', step: 'detected' },
  stopping: { what: 'has its Meilisearch stopped' },
  standby: { what: 'stands by' },
}

const GUARD: [RegExp, (match: RegExpExecArray) => Told][] = [
  [
    /^guard: (Meilisearch exited by itself, code \d+)/,
    ([, said]) => ({ what: `guard: ${said}`, step: 'detected' }),
  ],
  [/^guard: (stopped Meilisearch: .*)/, ([, said]) => ({ what: `guard: ${said}` })],
]

/** Undefined for a line that tells nothing; `at` where the line itself says when. */
export function tell(line: string): (Told & { at?: number }) | undefined {
  if (!line.startsWith('{')) {
    for (const [pattern, told] of GUARD) {
      const match = pattern.exec(line)
      if (match) return told(match)
    }
    return undefined
  }
  const entry = JSON.parse(line) as Record<string, string>
  const event = entry['event'] ?? ''
  const told = event === 'keeper.phase' ? PHASES[entry['to'] ?? ''] : EVENTS[event]
  return told && { ...told, at: Date.parse(entry['time'] ?? '') }
}
