import { describe, expect, it } from 'vitest';
import { readFilesSettings } from '../../../../src/job/sources/files/files-settings.ts';
import { openSettings } from '../../../../src/job/settings-file.ts';

const read = (more: Record<string, string>) =>
  readFilesSettings(openSettings({ SOURCE_PATH: '/drop/*.csv', SOURCE_ID: 'id', ...more }));
const KEYS = { S3_ACCESS_KEY_ID: 'hush-id', S3_SECRET_ACCESS_KEY: 'hush-secret' };

describe('settings of files', () => {
  it('name a path, a web address, or an object of S3', () => {
    expect(read({}).where).toEqual({ at: 'disk', path: '/drop/*.csv' });
    expect(read({ SOURCE_PATH: 'HTTPS://x.org/a.csv?b=1' }).where).toEqual({
      at: 'http',
      url: 'HTTPS://x.org/a.csv?b=1',
    });
    expect(read({ SOURCE_PATH: 's3://my.bucket/a b/*.csv', S3_REGION: 'eu-west-1' }).where).toEqual({
      at: 's3',
      endpoint: new URL('https://s3.eu-west-1.amazonaws.com'),
      region: 'eu-west-1',
      bucket: 'my.bucket',
      key: 'a b/*.csv',
      access: null,
    });
    const own = read({
      SOURCE_PATH: 's3://drop/a.csv',
      S3_ENDPOINT: 'http://127.0.0.1:9000/',
      ...KEYS,
    }).where;
    expect(own).toMatchObject({
      endpoint: new URL('http://127.0.0.1:9000'),
      access: { id: 'hush-id', secret: 'hush-secret' },
    });
  });

  it.each([
    [{ SOURCE_PATH: '' }, /^SOURCE_PATH is missing/],
    [{ SOURCE_PATH: 'drop/a.csv' }, /^SOURCE_PATH is neither an absolute path nor begins with http/],
    [{ SOURCE_PATH: '/drop/{a/b,c}.csv' }, /^SOURCE_PATH has a \/ within \{ \}/],
    [{ SOURCE_PATH: 'http://' }, /^SOURCE_PATH is not a URL/],
    [{ SOURCE_PATH: 's3://bucket' }, /^SOURCE_PATH is not an address in S3: expected a form such as s3:/],
    [{ SOURCE_PATH: 's3:///key' }, /^SOURCE_PATH is not an address in S3/],
    [{ SOURCE_FORMAT: 'xlsx' }, /^SOURCE_FORMAT=xlsx is unknown \(known: csv, tsv, json, ndjson, parquet\)/],
    [{ SOURCE_ID: '' }, /^SOURCE_ID is missing/],
    [{ SOURCE_ID: 'a,a' }, /^SOURCE_ID names a column twice/],
    [{ SOURCE_FILE_COMPLETE: 'yes' }, /^SOURCE_FILE_COMPLETE is neither true nor false/],
    [{ SOURCE_PATH: 's3://drop/a.csv', S3_REGION: 'x/y' }, /^S3_REGION is not the name of a region/],
    [{ SOURCE_PATH: 's3://drop/a.csv', S3_ENDPOINT: 'minio:9000' }, /^S3_ENDPOINT is not a URL/],
    [
      { SOURCE_PATH: 's3://drop/a.csv', S3_ENDPOINT: 'http://u:hush@x' },
      /^S3_ENDPOINT is more than scheme, host and port/,
    ],
    [
      { SOURCE_PATH: 's3://drop/a.csv', ...KEYS, S3_ACCESS_KEY_ID: '' },
      /^S3_ACCESS_KEY_ID is missing, and the other key is set/,
    ],
    [
      { SOURCE_PATH: 's3://drop/a.csv', ...KEYS, S3_SECRET_ACCESS_KEY: '' },
      /^S3_SECRET_ACCESS_KEY is missing/,
    ],
  ] as [Record<string, string>, RegExp][])('%j are refused, and no secret is shown', (more, words) => {
    expect(() => read(more)).toThrow(words);
    expect(() => read(more)).not.toThrow(/hush/);
  });
});
