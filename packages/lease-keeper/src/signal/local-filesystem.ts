import { statfs } from 'node:fs/promises'
import { MeiliHaError } from '@meili-ha/core/errors.ts'

/** Magic numbers of statfs(2), from linux/magic.h and the drivers' own headers. */
const NETWORK_FILESYSTEMS: Record<number, string> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x00c36400: 'CephFS',
  0x0bd00bd0: 'Lustre',
  0x7461636f: 'OCFS2',
  0x01161970: 'GFS2',
  0x47504653: 'GPFS',
  0x5346414f: 'AFS',
  0x73757245: 'Coda',
  0x65735546: 'FUSE',
}

/**
 * A cold standby takes over the volume itself. Where a dead node's client may still write back its
 * cache after that, no lease can help.
 * @throws LEASE_UNUSABLE on a network file system, unless a person says that the driver fences
 */
export async function assertLocalFilesystem(
  flags: { dataDir: string; acceptNetworkFilesystem?: boolean },
  look: (path: string) => Promise<{ type: number }> = statfs,
): Promise<void> {
  if (flags.acceptNetworkFilesystem) return
  const { type } = await look(flags.dataDir)
  // The kernel's word is signed on some machines.
  const name = NETWORK_FILESYSTEMS[type >>> 0]
  if (name === undefined) return
  throw new MeiliHaError(
    'LEASE_UNUSABLE',
    `${flags.dataDir} is on ${name}: a dead node's cache may be written back after a takeover`,
    { hint: "If the volume's driver fences the old node, say --accept-network-filesystem." },
  )
}
