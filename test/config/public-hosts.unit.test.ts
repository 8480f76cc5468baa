/** The accepted host names of the api, and how long it keeps connections. */
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';

const read = (extra: Record<string, string>) =>
  readConfig({
    DATABASE_URL: 'postgres://a:b@localhost:5432/c',
    TEMPORAL_ADDRESS: 'localhost:7233',
    SYNCRATOR_SECRET: 'x'.repeat(32),
    ...extra,
  });

it('names are separated by commas', () => {
  expect(read({}).allowedHosts).toBeUndefined();
  const ALLOWED_HOSTS = 'sync.example.org, *.corp.example,*';
  expect(read({ ALLOWED_HOSTS }).allowedHosts).toEqual(['sync.example.org', '*.corp.example', '*']);
});

it.each(['', ' , ', 'https://sync.example.org', 'sync.example.org:443', 'a*.example', '*.'])(
  '%j is refused as a list of host names',
  (ALLOWED_HOSTS) => {
    expect(() => read({ ALLOWED_HOSTS })).toThrow(/^configuration: ALLOWED_HOSTS /);
  },
);

it('connections are kept for 65 s, or for the configured time', () => {
  expect(read({}).keepAliveSeconds).toBe(65);
  expect(read({ KEEP_ALIVE_SECONDS: '620' }).keepAliveSeconds).toBe(620);
  expect(() => read({ KEEP_ALIVE_SECONDS: '1' })).toThrow(/^configuration: KEEP_ALIVE_SECONDS must be/);
});

it.each([
  ['0.0.0.0', 'http://127.0.0.1:8080'],
  ['::', 'http://127.0.0.1:8080'],
  ['::1', 'http://[::1]:8080'],
  ['192.0.2.7', 'http://192.0.2.7:8080'],
])('programs report to an api of HOST=%s at %s', (HOST, url) => {
  expect(read({ HOST }).reportBaseUrl).toBe(url);
  expect(read({ HOST, SYNCRATOR_REPORT_BASE_URL: 'http://api/' }).reportBaseUrl).toBe('http://api');
});
