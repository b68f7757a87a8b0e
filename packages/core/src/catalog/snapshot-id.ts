import * as z from 'zod'

/** `<epoch>-<seq>`, ten digits each, in any JSON that names a snapshot; see names.ts for its parts. */
export const snapshotIdSchema = z.string().regex(/^[0-9]{10}-[0-9]{10}$/)
