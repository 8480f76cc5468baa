/** How much is kept, and for how long: as people write it, or an error that explains the format. */
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';

const read = (more: Record<string, string>) =>
  readConfig({
    DATABASE_URL: 'postgres://localhost/x',
    TEMPORAL_ADDRESS: 'localhost:7233',
    SYNCRATOR_SECRET: 'a secret of at least thirty-two characters',
    ...more,
  });

test.each([
  [undefined, 16 * 1024 ** 2],
  ['100000', 100_000],
  ['64KiB', 64 * 1024],
  ['1GiB', 1024 ** 3],
])('LOG_LIMIT %s is %i bytes', (text, bytes) => {
  expect(read(text === undefined ? {} : { LOG_LIMIT: text }).logLimit).toBe(bytes);
});

test('by default logs are kept for 90 days and jobs for ever', () => {
  expect(read({}).keep).toEqual({ logsSeconds: 90 * 86_400, jobsSeconds: undefined });
  expect(read({ KEEP_LOGS: 'off', KEEP_JOBS: '2y' }).keep).toEqual({
    logsSeconds: undefined,
    jobsSeconds: 730 * 86_400,
  });
  expect(read({ KEEP_LOGS: '36h', KEEP_JOBS: '8w' }).keep).toEqual({
    logsSeconds: 129_600,
    jobsSeconds: 56 * 86_400,
  });
});

test.each([
  ['LOG_LIMIT', '16 MB', 'must be bytes, or a number of KiB'],
  ['LOG_LIMIT', '1KiB', 'must be at least 64KiB'],
  ['LOG_LIMIT', '2GiB', 'must be at most 1GiB'],
  ['KEEP_LOGS', '90', 'such as 36h, 90d, 8w or 2y, or off'],
  ['KEEP_JOBS', '0d', 'such as 36h, 90d, 8w or 2y, or off'],
])('%s=%s is refused', (name, value, words) => {
  expect(() => read({ [name]: value })).toThrow(`${name} `);
  expect(() => read({ [name]: value })).toThrow(words);
});
