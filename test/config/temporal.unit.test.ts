/** Temporal over TLS: which settings turn it on and which belong together; messages name files and never quote them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { getCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';

/** The authorities that Node knows. */
const WELL_KNOWN = { serverRootCACertificate: Buffer.from(getCACertificates('default').join('\n')) };

let folder: string;
const file = (name: string) => path.join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-certificates-'));
  for (const name of ['ca', 'crt', 'key', 'api-key']) writeFileSync(file(name), `the ${name}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (settings: Record<string, string>) =>
  readConfig({
    DATABASE_URL: 'postgres://syncrator@postgres/syncrator',
    TEMPORAL_ADDRESS: 'temporal:7233',
    SYNCRATOR_SECRET: 'a-secret-of-the-tests-long-enough-to-be-taken',
    ...settings,
  }).temporal.security;

test('connections are plain text by default', () => {
  expect(read({})).toEqual({});
  expect(read({ TEMPORAL_TLS: 'false' })).toEqual({});
  expect(read({ TEMPORAL_TLS: 'true' })).toEqual({ tls: WELL_KNOWN });
});

test('any TLS setting turns TLS on', () => {
  expect(read({ TEMPORAL_TLS_CA_FILE: file('ca'), TEMPORAL_TLS_SERVER_NAME: 'temporal.example' })).toEqual({
    tls: { serverNameOverride: 'temporal.example', serverRootCACertificate: Buffer.from('the ca\n') },
  });
  expect(read({ TEMPORAL_TLS_CERT_FILE: file('crt'), TEMPORAL_TLS_KEY_FILE: file('key') })).toEqual({
    tls: { ...WELL_KNOWN, clientCertPair: { crt: Buffer.from('the crt\n'), key: Buffer.from('the key\n') } },
  });
  expect(read({ TEMPORAL_API_KEY_FILE: file('api-key') })).toEqual({
    tls: WELL_KNOWN,
    apiKey: 'the api-key',
  });
});

test.each([
  [{ TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'k' }, 'TEMPORAL_API_KEY needs TLS, but TEMPORAL_TLS is false'],
  [{ TEMPORAL_TLS_CERT_FILE: '/c' }, 'TEMPORAL_TLS_KEY_FILE is not set, which TEMPORAL_TLS_CERT_FILE needs'],
  [{ TEMPORAL_TLS_KEY_FILE: '/k' }, 'TEMPORAL_TLS_CERT_FILE is not set, which TEMPORAL_TLS_KEY_FILE needs'],
  [{ TEMPORAL_TLS_CA_FILE: '/nowhere/ca' }, 'TEMPORAL_TLS_CA_FILE: /nowhere/ca cannot be read (ENOENT)'],
])('%o is refused with why', (settings, words) => {
  expect(() => read(settings)).toThrow(words);
});

test.each([
  ['temporal:7233', true],
  ['127.0.0.1:7233', true],
  ['[::1]:7233', true],
  ['[fd00::1:2]:7233', true],
  ['::1:7233', false],
  ['[::1]', false],
  ['temporal', false],
  ['[temporal]:7233', false],
])('the address %s is taken: %s', (address, isTaken) => {
  const of = () =>
    readConfig({
      DATABASE_URL: 'postgres://syncrator@[fd00::5]/syncrator',
      TEMPORAL_ADDRESS: address,
      SYNCRATOR_SECRET: 'a-secret-of-the-tests-long-enough-to-be-taken',
      METRICS_HOST: '::',
      TEMPORAL_METRICS_PORT: '9465',
    });
  if (isTaken) expect(of()).toMatchObject({ temporal: { address }, temporalMetrics: '[::]:9465' });
  else expect(of).toThrow('TEMPORAL_ADDRESS must be host:port, or [address]:port for IPv6');
});
