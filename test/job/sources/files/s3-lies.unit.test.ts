/** Source `files` over a store that speaks the protocol of S3 wrongly, and keys that a URL cannot hold. */
import { expect, it } from 'vitest';
import { startFileServer } from './support/file-server.ts';
import { open } from './support/folder.ts';

const page = (key: string, next: string): string =>
  `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>` +
  (key === '' ? '' : `<Contents><Key>${key}</Key><ETag>"1"</ETag><Size>5</Size></Contents>`) +
  '</ListBucketResult>';

it.each([
  ['the same page under new tokens', 'n/a.csv', (count: number) => String(count)],
  ['empty pages under one token', '', () => 'same'],
])('a store that sends %s without an end fails', async (_, key, tokenOf) => {
  await using server = await startFileServer('', '');
  server.bend = (_request, response, count) => {
    if (count > 20) response.destroy();
    else response.end(page(key, tokenOf(count)));
    return true;
  };
  const source = open('s3://drop/n/*.csv', { S3_ENDPOINT: new URL(server.url).origin });
  await expect(source.survey(null)).rejects.toThrow(
    /^s3:\/\/drop\/n\/\*\.csv: the store sends a page of its list of objects again/,
  );
});

it.each(['s3://drop/../other/a.csv', 's3://drop/n/./a.csv'])(
  '%s is refused, since its URL would be that of another object',
  async (path) => {
    await using server = await startFileServer('', 'id\na\n');
    const source = open(path, { S3_ENDPOINT: new URL(server.url).origin });
    await expect(source.survey(null)).rejects.toThrow(
      `${path} has a part . or .. in its name, which no URL can hold; rename the object`,
    );
    expect(server.requests).toEqual([]);
  },
);
