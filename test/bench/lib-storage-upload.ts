// What one writes with lib-storage and its defaults: FILE BUCKET KEY.
import { createReadStream } from 'node:fs'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

const [path, Bucket, Key] = process.argv.slice(2) as [string, string, string]
const client = new S3Client({ forcePathStyle: true })
await new Upload({ client, params: { Bucket, Key, Body: createReadStream(path) } }).done()
