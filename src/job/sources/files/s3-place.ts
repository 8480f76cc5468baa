/** Objects of a bucket in S3, or in any store that speaks its protocol. An object is there whole, or not at all. */
import { join } from 'node:path';
import { retryThroughOutage } from '../../http/outage.ts';
import { JobError } from '../../job-error.ts';
import { fetchedFile } from './fetched-file.ts';
import type { S3Address } from './files-settings.ts';
import { fixedStart, isPattern, matches } from './pattern.ts';
import type { FoundFile, Place, PlaceOptions } from './place.ts';
import { type RemoteFile, versionOf } from './remote-file.ts';
import { listPage, type S3Object, type S3Page } from './s3-list.ts';
import { askS3, s3Fault } from './s3-request.ts';

export function createS3Place(address: S3Address, options: PlaceOptions): Place {
  const { bucket, key: wanted } = address;
  const { patience } = options;
  const shownAs = `s3://${bucket}/${wanted}`;
  const pattern = isPattern(wanted);
  const remoteOf = (key: string): RemoteFile => {
    const name = `s3://${bucket}/${key}`;
    const request = { address, options, key, shownAs: name };
    return {
      shownAs: name,
      ask: (headers) => askS3({ ...request, headers }),
      refused: (answer) => s3Fault(answer, name),
    };
  };
  const found = (key: string, seen: Pick<FoundFile, 'version' | 'isSure'>): FoundFile => ({
    name: `s3://${bucket}/${key}`,
    ...seen,
    writtenMs: null,
    total: async () => null,
    open: (folder) => fetchedFile(join(folder, 'fetched'), remoteOf(key), { patience, arrived: 'whole' }),
  });

  async function objects(): Promise<S3Object[]> {
    const all: S3Object[] = [];
    const begins = new Set<string>();
    let next: string | null = null;
    do {
      const after: string | null = next;
      const page: S3Page = await retryThroughOutage(patience, () =>
        listPage({ address, options, prefix: fixedStart(wanted), after, shownAs }),
      );
      all.push(...page.objects.filter(({ key }) => !key.endsWith('/') && matches(key, wanted)));
      ({ next } = page);
      const [first] = page.objects;
      if (first !== undefined && begins.size === begins.add(first.key).size) throw endless(shownAs);
      // An empty page may promise more, and does not tell where it stands.
      if (next !== null && next === after) throw endless(shownAs);
    } while (next !== null);
    return all;
  }

  return {
    shownAs,
    isPattern: pattern,
    async list() {
      if (!pattern)
        return [found(wanted, await retryThroughOutage(patience, () => versionOf(remoteOf(wanted))))];
      const all = await objects();
      if (all.length > 0)
        return all.map(({ key, etag, size }) =>
          found(key, { version: JSON.stringify([etag, size]), isSure: etag !== '' }),
        );
      const words = `SOURCE_PATH ${shownAs} matches no object; correct it, or find out why nothing was delivered`;
      throw new JobError('sourceUnreachable', `${words} [unreachable]`);
    },
  };
}

/** A store that does not know ListObjectsV2 sends its first page again and again. */
function endless(shownAs: string): JobError {
  return new JobError(
    'failed',
    `${shownAs}: the store sends a page of its list of objects again instead of the next one; it must support ListObjectsV2`,
  );
}
