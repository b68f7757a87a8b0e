import type { UploaderFlags } from './commands/uploader-flags.ts'
import type { Parts } from './wire.ts'

export class Housekeeping {
  constructor(_parts: Parts, _flags: UploaderFlags) {}
  async tidy(_signal: AbortSignal): Promise<void> {}
}
