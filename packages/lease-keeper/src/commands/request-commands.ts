import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { flag } from '@meili-ha/core/cli/flags.ts'
import { formatDuration, parseDuration } from '@meili-ha/core/cli/units.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { LeaseRecord } from '../lease/lease.ts'
import { openLease, type OpenLease } from '../open-lease.ts'
import { editRecord, readRecord } from './edit-record.ts'
import { addLeaseFlags, type LeaseFlags } from './keeper-flags.ts'
import { mustBeMember, mustBeReady } from './named-member.ts'
import { waitForLeader } from './wait-for-leader.ts'

type RequestFlags = LeaseFlags & { to?: string; timeout: number }

/** `lease-keeper switchover [--to MEMBER]` */
export function switchoverCommand(host: Host): Command {
  return leadCommand(host, 'switchover', {
    sentence: 'Hand over to another member without losing a write, and wait until it leads.',
    example: 'lease-keeper switchover --cluster search --to search-1',
    before: async (lease, record, to) => {
      if (record.holder === null) {
        throw new MeiliHaError('LEASE_UNUSABLE', 'nobody leads: there is nothing to hand over', {
          hint: '`lease-keeper status` shows why; `lease-keeper promote` asks for a promotion.',
        })
      }
      if (to !== undefined) await mustBeReady(lease.statements, to, host.signal)
      const leader = (await lease.statements.readAll()).find(({ role }) => role === 'primary')
      const gap = leader?.handoverMs
      host.stdout.write(
        gap == null
          ? 'write gap: not known yet (nothing was archived or published since the start)\n'
          : `write gap: about ${formatDuration(gap)}\n`,
      )
    },
  })
}

/** `lease-keeper promote [--to MEMBER]` */
export function promoteCommand(host: Host): Command {
  return leadCommand(host, 'promote', {
    sentence: 'Promote a standby now that the primary is gone, whatever holds failover back.',
    example: 'lease-keeper promote --cluster search --to search-1',
    before: async () => {},
  })
}

interface Lead {
  sentence: string
  example: string
  before: (lease: OpenLease, record: LeaseRecord, to: string | undefined) => Promise<void>
}

function leadCommand(host: Host, verb: 'switchover' | 'promote', lead: Lead): Command {
  const command = describe(new Command(verb), lead.sentence, lead.example)
  return addLeaseFlags(command, host, commonFlags(host))
    .addOption(flag(host, '--to <member>', 'the member that shall lead; unset = the freshest'))
    .addOption(
      flag(host, '--timeout <duration>', 'how long to wait for it; 0 = not at all', {
        parse: parseDuration,
        default: 120_000,
        shown: '2m',
      }),
    )
    .action(async (flags: RequestFlags) => {
      using lease = await openLease(host, flags, 'look')
      const { backend } = lease
      const request = { id: randomUUID(), verb, to: flags.to ?? null }
      const found = await readRecord(backend)
      if (found && found.holder !== null && found.member === flags.to) {
        host.stdout.write(`${flags.to} leads already\n`)
        return
      }
      if (flags.to !== undefined && found) await mustBeMember(lease.statements, found, flags.to)
      if (found) await lead.before(lease, found, flags.to)
      const began = performance.now()
      const before = await editRecord(backend, (record) => ({ ...record, request }))
      if (flags.timeout === 0) return
      const leader = await waitForLeader(backend, before, request, flags.timeout, host.signal)
      const took = formatDuration(performance.now() - began)
      host.stdout.write(`${leader.member} leads in epoch ${leader.epoch}, after ${took}\n`)
    })
}

/** `lease-keeper pause` and `resume` */
export function pauseCommand(host: Host, verb: 'pause' | 'resume'): Command {
  const paused = verb === 'pause'
  const sentence = paused
    ? 'No automatic failover until `resume`: for maintenance.'
    : 'Automatic failover again.'
  const example = `lease-keeper ${verb} --cluster search`
  const command = describe(new Command(verb), sentence, example)
  return addLeaseFlags(command, host, commonFlags(host)).action(async (flags: LeaseFlags) => {
    using lease = await openLease(host, flags, 'look')
    await editRecord(lease.backend, (record) => ({ ...record, paused }))
    host.stdout.write(paused ? 'failover is paused\n' : 'failover is automatic again\n')
  })
}
