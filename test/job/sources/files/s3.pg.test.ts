/** Source `files` over S3, from a real server that checks signatures. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Source } from '../../../../src/job/sources/source.ts';
import { type S3Server, startS3 } from '../../../support/s3/s3-server.ts';
import { idsIn } from '../sql/support/database.ts';
import { open } from './support/folder.ts';

const BUCKETS = ['drop', 'many', 'odd', 'moving'] as const;
let server: S3Server;
beforeAll(async () => {
  server = await startS3(BUCKETS);
}, 300_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function source(path: string, more: Record<string, string> = {}): Source {
  const settings = {
    S3_ENDPOINT: server.endpoint,
    S3_REGION: server.region,
    S3_ACCESS_KEY_ID: server.access.id,
    S3_SECRET_ACCESS_KEY: server.access.secret,
    ...more,
  };
  return open(path, settings);
}

describe('an object of S3', () => {
  it('is complete by itself, since objects are written whole', async () => {
    await server.put('drop', 'night/places.csv', 'id\nb\na\n');
    const one = source('s3://drop/night/places.csv');
    expect(one.shownAs).toBe('s3://drop/night/places.csv');
    expect(await idsIn(one)).toEqual(['a', 'b']);
    expect((await one.evidence()).complete).toBe(true);
    expect([...(await one.stillThere(['a', 'x']))]).toEqual(['a']);
  });

  it('can have any name that S3 allows', async () => {
    const keys = ['a b+c%20/ü&=?#.csv', "o'b(1)!~@$,;:.csv", '😀.csv'];
    for (const [at, key] of keys.entries()) await server.put('odd', key, `id\n${at}\n`);
    expect(await idsIn(source('s3://odd/**/*.csv'))).toEqual(['0', '1', '2']);
    expect(await idsIn(source(`s3://odd/${keys[1]}`))).toEqual(['1']);
    expect(await idsIn(source('s3://odd/a b+c%20/*.csv'))).toEqual(['0']);
  });

  it('is one of many that a pattern matches, over all pages of the list', async () => {
    const ids = Array.from({ length: 1_010 }, (_, at) => `p${String(at).padStart(4, '0')}`);
    const body = gzipSync('');
    // Files of other kinds beside them make a second page.
    for (let at = 0; at < ids.length; at += 101)
      await Promise.all(ids.slice(at, at + 101).map((id) => server.put('many', `n/${id}.txt`, body)));
    await server.put('many', 'n/a.csv', 'id\na\n');
    await server.put('many', 'n/z.csv', 'id\nz\n');
    await server.put('many', 'n/deep/x.csv', 'id\nx\n');
    const some = source('s3://many/n/*.csv');
    expect(await idsIn(some)).toEqual(['a', 'z']);
    expect((await some.evidence()).words).toMatch(/nothing proves that the pattern matches all files/);
    const all = source('s3://many/n/*.csv', { SOURCE_FILE_COMPLETE: 'true' });
    await idsIn(all);
    expect((await all.evidence()).complete).toBe(true);
  });

  it('that changes between two looks is noticed', async () => {
    await server.put('moving', 'a.csv', 'id\na\nb\n');
    const one = source('s3://moving/*.csv');
    expect(await idsIn(one)).toEqual(['a', 'b']);
    await server.put('moving', 'a.csv', 'id\na\nc\n');
    expect([...(await one.stillThere(['a', 'b', 'c']))]).toEqual(['a', 'c']);
    await server.put('moving', 'b.csv', 'id\nb\n');
    expect([...(await one.stillThere(['a', 'b', 'c']))]).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [
      's3://drop/nothing.csv',
      {},
      /s3:\/\/drop\/nothing\.csv \(NoSuchKey\) answered 404: there is no such bucket or object/,
    ],
    ['s3://nowhere/*.csv', {}, /\(NoSuchBucket\) answered 404/],
    [
      's3://drop/*.nothing',
      {},
      /SOURCE_PATH s3:\/\/drop\/\*\.nothing matches no object; .* \[unreachable\]$/,
    ],
    [
      's3://drop/night/places.csv',
      { S3_SECRET_ACCESS_KEY: 'hush-wrong' },
      /\(SignatureDoesNotMatch\) answered 403: it refuses our credentials/,
    ],
    ['s3://drop/night/*.csv', { S3_ACCESS_KEY_ID: 'hush-wrong' }, /answered 40[34]/],
    ['s3://drop/night/places.csv', { S3_ACCESS_KEY_ID: '', S3_SECRET_ACCESS_KEY: '' }, /answered 403/],
  ])('%s that cannot be had fails, and no key is shown', async (path, more, words) => {
    const error: unknown = await source(path, more)
      .survey(null)
      .catch((error: unknown) => error);
    expect((error as Error).message).toMatch(words);
    expect((error as Error).message + (error as Error).stack).not.toMatch(/hush|AKID/);
  });
});
