/**
 * `/ha/permit`: what lets Meilisearch run. One line:
 *
 *     primary <epoch> <term-at> <kill-at> <boot-id>
 *     standby <epoch> - - <boot-id>
 *     stop <epoch> - - <boot-id>
 *
 * Times are centiseconds of boot time in the *guard's* clock. Written by lease-keeper alone.
 */
export type Permit =
  | { role: 'primary'; epoch: number; termAt: number; killAt: number; bootId: string }
  | { role: 'standby' | 'stop'; epoch: number; bootId: string }

// No leading zeros: to a shell's arithmetic they would make a number octal.
const LINE =
  /^(?:(primary) (0|[1-9][0-9]{0,9}) (0|[1-9][0-9]{0,14}) (0|[1-9][0-9]{0,14})|(standby|stop) (0|[1-9][0-9]{0,9}) - -) ([0-9a-f-]{1,64})$/

export function formatPermit(permit: Permit): string {
  return permit.role === 'primary'
    ? `primary ${permit.epoch} ${permit.termAt} ${permit.killAt} ${permit.bootId}`
    : `${permit.role} ${permit.epoch} - - ${permit.bootId}`
}

/** Undefined for anything that isn't exactly a permit: malformed means expired. */
export function parsePermit(line: string): Permit | undefined {
  const match = LINE.exec(line)
  if (!match) return undefined
  const bootId = match[7] as string
  if (match[1] === 'primary') {
    const [epoch, termAt, killAt] = [Number(match[2]), Number(match[3]), Number(match[4])]
    return termAt <= killAt ? { role: 'primary', epoch, termAt, killAt, bootId } : undefined
  }
  return { role: match[5] as 'standby' | 'stop', epoch: Number(match[6]), bootId }
}

/**
 * True while a primary permit is in force on this boot.
 * @param now centiseconds of boot time; @param longest the longest permit that may be, in centiseconds
 */
export function permitsPrimary(
  permit: Permit | undefined,
  now: number,
  bootId: string,
  longest = 30_000,
): permit is Extract<Permit, { role: 'primary' }> {
  return (
    permit?.role === 'primary' &&
    permit.bootId === bootId &&
    now < permit.termAt &&
    permit.killAt - now <= longest
  )
}
