/** One signed GET of S3. Keys travel in no URL: the signature is a header. */
import { AwsV4Signer } from 'aws4fetch';
import { type HttpAnswer, httpCall } from '../../http/http-call.ts';
import { HttpFault, statusFault } from '../../http/http-fault.ts';
import { retryAfter } from '../../http/retry-after.ts';
import { JobError } from '../../job-error.ts';
import type { S3Address } from './files-settings.ts';
import type { PlaceOptions } from './place.ts';
import { FETCH_MS, PLAIN } from './remote-file.ts';

const MOST_ERROR_BYTES = 64 * 1024;

export type S3Request = {
  readonly address: S3Address;
  readonly options: PlaceOptions;
  /** Without it the request is about the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly shownAs: string;
};

/** @throws HttpFault */
export async function askS3({
  address,
  options,
  key = '',
  query = {},
  headers = {},
  shownAs,
}: S3Request): Promise<HttpAnswer> {
  const url = new URL(address.endpoint);
  // The bucket in the path works with every store; its name in the host does not.
  const path = `/${address.bucket}${key === '' ? '' : `/${key.split('/').map(encoded).join('/')}`}`;
  url.pathname = path;
  // It would be another object, perhaps of another bucket.
  if (url.pathname !== path)
    throw new JobError(
      'failed',
      `${shownAs} has a part . or .. in its name, which no URL can hold; rename the object`,
    );
  url.search = Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join('&');
  return await httpCall({
    url,
    shownAs,
    headers: { ...PLAIN, ...headers, ...(await signature(url, address)) },
    deadlineMs: FETCH_MS,
    stop: options.patience.stop,
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
  });
}

async function signature(url: URL, { access, region }: S3Address): Promise<Record<string, string>> {
  if (access === null) return {};
  const { id: accessKeyId, secret: secretAccessKey } = access;
  const signer = new AwsV4Signer({
    url: url.href,
    method: 'GET',
    accessKeyId,
    secretAccessKey,
    service: 's3',
    region,
  });
  const { headers } = await signer.sign();
  headers.delete('host');
  return Object.fromEntries(headers);
}

/** The error of an answer, with S3's word for it: its further words quote the access key. */
export async function s3Fault(answer: HttpAnswer, shownAs: string): Promise<HttpFault> {
  const { status, header } = answer;
  const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(await bodyOf(answer))?.[1];
  const where = code === undefined ? shownAs : `${shownAs} (${code})`;
  if (status === 404)
    return new HttpFault(
      'http_error',
      `${where} answered 404: there is no such bucket or object; correct SOURCE_PATH`,
      { status },
    );
  if (status < 400)
    return new HttpFault(
      'http_error',
      `${where} answered ${status}; set S3_REGION and S3_ENDPOINT to those of the bucket`,
      { status },
    );
  return statusFault(status, where, retryAfter(header('retry-after')));
}

/** The status is the error; without a readable body it is told alone. */
async function bodyOf(answer: HttpAnswer): Promise<string> {
  try {
    return await answer.text(MOST_ERROR_BYTES);
  } catch (error) {
    if (error instanceof HttpFault) return '';
    throw error;
  }
}

/** RFC 3986, as the signature needs it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
