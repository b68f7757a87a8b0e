import type { IncomingHttpHeaders } from 'node:http'
import type { Bucket, StoredObject } from './bucket.ts'
import { S3Error } from './s3-error.ts'
import { parseParts, toXml } from './xml.ts'

/** A request with its body read and checked. */
export interface S3Request {
  op: string
  key: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface S3Answer {
  status: number
  headers?: Record<string, string>
  body?: Buffer | string
}

/** The name that S3 gives to a request; undefined for one that this server doesn't know. */
export function operationOf(
  method: string,
  key: string,
  query: URLSearchParams,
): string | undefined {
  if (key === '') {
    if (method === 'HEAD') return 'HeadBucket'
    if (method !== 'GET') return undefined
    return query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2'
  }
  const upload = query.has('uploadId')
  const names: Record<string, string> = {
    GET: upload ? 'ListParts' : 'GetObject',
    HEAD: 'HeadObject',
    PUT: upload ? 'UploadPart' : 'PutObject',
    POST: upload ? 'CompleteMultipartUpload' : 'CreateMultipartUpload',
    DELETE: upload ? 'AbortMultipartUpload' : 'DeleteObject',
  }
  return names[method]
}

/** What the server does; page size is small in tests, so that paging is always met. */
export function operate(bucket: Bucket, request: S3Request, pageSize: number): S3Answer {
  const { op, key, query, headers, body } = request
  const uploadId = query.get('uploadId') ?? ''
  switch (op) {
    case 'HeadBucket':
      return { status: 200 }
    case 'GetObject':
    case 'HeadObject':
      return getObject(bucket.get(key), headers, op === 'HeadObject')
    case 'PutObject':
      return { status: 200, headers: describe(bucket.put(key, body, headers)) }
    case 'DeleteObject':
      bucket.objects.delete(key)
      return { status: 204 }
    case 'ListObjectsV2':
      return listObjects(bucket, query, pageSize)
    case 'ListMultipartUploads':
      return listUploads(bucket, query, pageSize)
    case 'ListParts':
      return listParts(bucket, key, query, pageSize)
    case 'CreateMultipartUpload': {
      const UploadId = bucket.begin(key, headers)
      return xml('InitiateMultipartUploadResult', { Key: key, UploadId })
    }
    case 'UploadPart': {
      const part = bucket.putPart(key, uploadId, Number(query.get('partNumber')), body)
      const { checksums } = bucket.upload(key, uploadId)
      const { etag, digests } = part
      return {
        status: 200,
        headers: describe({ etag, sha256: checksums ? digests.sha256 : undefined }),
      }
    }
    case 'CompleteMultipartUpload': {
      const object = bucket.complete(key, uploadId, parseParts(body.toString()), headers)
      return xml('CompleteMultipartUploadResult', { Key: key, ETag: `"${object.etag}"` })
    }
    case 'AbortMultipartUpload':
      bucket.upload(key, uploadId)
      bucket.uploads.delete(uploadId)
      return { status: 204 }
    default:
      throw new S3Error(501, 'NotImplemented')
  }
}

function getObject(object: StoredObject, headers: IncomingHttpHeaders, isHead: boolean): S3Answer {
  const match = headers['if-match']
  if (match !== undefined && match.replaceAll('"', '') !== object.etag) {
    throw new S3Error(412, 'PreconditionFailed')
  }
  const size = object.body.length
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
  if (!range) {
    const withChecksum = headers['x-amz-checksum-mode'] === 'ENABLED'
    const described = describe(withChecksum ? object : { etag: object.etag })
    const length = { 'content-length': String(size) }
    return { status: 200, headers: { ...described, ...length }, body: isHead ? '' : object.body }
  }
  const start = Number(range[1])
  const end = Math.min(Number(range[2]), size - 1)
  if (start > end) throw new S3Error(416, 'InvalidRange')
  const body = object.body.subarray(start, end + 1)
  const contentRange = { 'content-range': `bytes ${start}-${end}/${size}` }
  return { status: 206, headers: { ...describe({ etag: object.etag }), ...contentRange }, body }
}

function listObjects(bucket: Bucket, query: URLSearchParams, pageSize: number): S3Answer {
  const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
  const keys = bucket.keys(query.get('prefix') ?? '', after)
  const page = keys.slice(0, Math.min(pageSize, Number(query.get('max-keys') ?? pageSize)))
  const more = keys.length > page.length
  const Contents = page.map((Key) => {
    const { body, etag } = bucket.get(Key)
    return { Key, Size: body.length, ETag: `"${etag}"` }
  })
  return xml('ListBucketResult', {
    IsTruncated: more,
    KeyCount: page.length,
    NextContinuationToken: more ? page.at(-1) : undefined,
    Contents,
  })
}

function listUploads(bucket: Bucket, query: URLSearchParams, pageSize: number): S3Answer {
  const marker = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? '']
  const order = (a: string[], b: string[]) => (a.join('\n') < b.join('\n') ? -1 : 1)
  const all = [...bucket.uploads]
    .map(([id, upload]) => ({ id, ...upload }))
    .filter(({ key }) => key.startsWith(query.get('prefix') ?? ''))
    .filter(({ key, id }) => marker[0] === '' || order([key, id], marker) > 0)
    .toSorted((a, b) => order([a.key, a.id], [b.key, b.id]))
  const page = all.slice(0, pageSize)
  const last = all.length > page.length ? page.at(-1) : undefined
  const Upload = page.map(({ key, id, initiated }) => {
    return { Key: key, UploadId: id, Initiated: initiated.toISOString() }
  })
  return xml('ListMultipartUploadsResult', {
    IsTruncated: last !== undefined,
    NextKeyMarker: last?.key,
    NextUploadIdMarker: last?.id,
    Upload,
  })
}

function listParts(
  bucket: Bucket,
  key: string,
  query: URLSearchParams,
  pageSize: number,
): S3Answer {
  const upload = bucket.upload(key, query.get('uploadId') ?? '')
  const after = Number(query.get('part-number-marker') ?? 0)
  const all = [...upload.parts].filter(([number]) => number > after).toSorted(([a], [b]) => a - b)
  const page = all.slice(0, pageSize)
  const more = all.length > page.length
  const Part = page.map(([PartNumber, { body, etag, digests }]) => ({
    PartNumber,
    Size: body.length,
    ETag: `"${etag}"`,
    ChecksumSHA256: upload.checksums ? digests.sha256 : undefined,
  }))
  const NextPartNumberMarker = more ? page.at(-1)?.[0] : undefined
  return xml('ListPartsResult', { IsTruncated: more, NextPartNumberMarker, Part })
}

function describe(object: { etag: string; sha256?: string | undefined }): Record<string, string> {
  const checksum = object.sha256 === undefined ? {} : { 'x-amz-checksum-sha256': object.sha256 }
  return { etag: `"${object.etag}"`, ...checksum }
}

function xml(root: string, node: Parameters<typeof toXml>[1]): S3Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: toXml(root, node) }
}
