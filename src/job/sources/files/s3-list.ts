/** Lists objects of a bucket: ListObjectsV2. */
import { SaxesParser } from 'saxes';
import { HttpFault } from '../../http/http-fault.ts';
import { askS3, type S3Request, s3Fault } from './s3-request.ts';

/** A page has at most 1,000 keys of 1,024 bytes. */
const MOST_PAGE_BYTES = 16 * 1024 * 1024;

export type S3Object = { readonly key: string; readonly etag: string; readonly size: string };

export type S3Page = {
  readonly objects: readonly S3Object[];
  /** The token of the next page; null at the end. */
  readonly next: string | null;
};

/** @throws HttpFault */
export async function listPage(
  of: Pick<S3Request, 'address' | 'options' | 'shownAs'> & { prefix: string; after: string | null },
): Promise<S3Page> {
  const { prefix, after, ...request } = of;
  const query = {
    'list-type': '2',
    ...(prefix === '' ? {} : { prefix }),
    ...(after === null ? {} : { 'continuation-token': after }),
  };
  const answer = await askS3({ ...request, query });
  if (answer.status !== 200) throw await s3Fault(answer, of.shownAs);
  const page = pageIn(await answer.text(MOST_PAGE_BYTES));
  if (page !== null) return page;
  throw new HttpFault('bad_answer', `${of.shownAs}: the answer to ListObjectsV2 is no list of objects`);
}

/** null for another document, and for a page that promises more and does not say where. */
function pageIn(xml: string): S3Page | null {
  const objects: S3Object[] = [];
  const path: string[] = [];
  let object: Record<string, string> = {};
  const top: Record<string, string> = {};
  let isWrong = false;
  const parser = new SaxesParser();
  parser.on('error', () => void (isWrong = true));
  parser.on('opentag', ({ name }) => {
    path.push(name);
    if (path.length === 2 && name === 'Contents') object = {};
  });
  parser.on('text', (text) => {
    const name = path.at(-1) ?? '';
    if (path.length === 3 && path[1] === 'Contents') object[name] = (object[name] ?? '') + text;
    if (path.length === 2) top[name] = (top[name] ?? '') + text;
  });
  parser.on('closetag', ({ name }) => {
    if (path.length === 2 && name === 'Contents') {
      const { Key: key, ETag: etag = '', Size: size = '' } = object;
      if (key === undefined) isWrong = true;
      else objects.push({ key, etag, size });
    }
    path.pop();
    if (path.length === 0 && name !== 'ListBucketResult') isWrong = true;
  });
  parser.write(xml).close();
  const isCut = top['IsTruncated']?.trim() === 'true';
  const next = isCut ? (top['NextContinuationToken'] ?? '') : null;
  return isWrong || next === '' || !Object.hasOwn(top, 'IsTruncated') ? null : { objects, next };
}
