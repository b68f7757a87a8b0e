import { expect, test } from 'vitest'
import { assertLocalFilesystem } from './local-filesystem.ts'

const NFS = 0x6969
const EXT4 = 0xef53

const on = (type: number) => async () => ({ type })

test('a cold standby refuses a network file system, and says which flag accepts it', async () => {
  await expect(assertLocalFilesystem({ dataDir: '/data' }, on(NFS))).rejects.toMatchObject({
    code: 'MEILI_HA_LEASE_UNUSABLE',
    message: expect.stringContaining('/data is on NFS') as string,
    hint: expect.stringContaining('--accept-network-filesystem') as string,
  })
})

test('it takes a local one, and any other that a person accepts', async () => {
  await assertLocalFilesystem({ dataDir: '/data' }, on(EXT4))
  await assertLocalFilesystem({ dataDir: '/data', acceptNetworkFilesystem: true }, on(NFS))
})

test('a magic number that the kernel gives as negative is the same', async () => {
  const cifs = 0xff534d42 | 0
  await expect(assertLocalFilesystem({ dataDir: '/data' }, on(cifs))).rejects.toThrow('CIFS')
})
