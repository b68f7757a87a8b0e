import { afterAll, beforeAll, expect, test } from 'vitest'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { allows, grantsOf } from './s3-policy.ts'
import { JOBS } from './s3-jobs.ts'

let server: S3Server
beforeAll(async () => {
  server = await startS3Server()
})
afterAll(() => server[Symbol.asyncDispose]())

for (const [program, job] of Object.entries(JOBS)) {
  test(`the policy of ${program} allows all that it does, and nothing that it does not do`, async () => {
    server.requests.length = 0
    await job(server)
    const grants = grantsOf(program)
    const refused = server.requests.filter((one) => !grants.some((grant) => allows(grant, one)))
    expect(refused.map(({ op, key }) => `${op} ${key}`)).toEqual([])
    const unused = grants.filter((grant) => !server.requests.some((one) => allows(grant, one)))
    expect(unused).toEqual([])
  })
}
