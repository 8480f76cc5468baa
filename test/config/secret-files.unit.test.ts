/** Secrets from files: their values, and errors about a missing file, which never quote a secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig, readDatabaseConfig } from '../../src/config/config.ts';

const PASSWORD = 'p@ss/word:1%';
const SECRET = 'a-secret-of-the-tests-long-enough-to-be-taken';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-secrets-'));
  writeFileSync(path.join(folder, 'password'), `${PASSWORD}\n`);
  writeFileSync(path.join(folder, 'secret'), SECRET);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base = () => ({
  DATABASE_URL: 'postgres://syncrator@postgres:5432/syncrator',
  DATABASE_PASSWORD_FILE: path.join(folder, 'password'),
  TEMPORAL_ADDRESS: 'temporal:7233',
  SYNCRATOR_SECRET_FILE: path.join(folder, 'secret'),
});

test('a secret is the content of its file, without the final newline', () => {
  const config = readConfig({ ...base(), SYNCRATOR_ADMIN_PASSWORD_FILE: path.join(folder, 'password') });
  expect(config).toMatchObject({ secrets: [SECRET], adminPassword: PASSWORD });
});

test("the database's password is added to its address, whatever characters it has", () => {
  for (const url of [readConfig(base()).databaseUrl, readDatabaseConfig(base()).databaseUrl ?? '']) {
    expect(decodeURIComponent(new URL(url).password)).toBe(PASSWORD);
    expect(new URL(url).host).toBe('postgres:5432');
  }
});

test.each([
  [
    'a file that is not there',
    { SYNCRATOR_SECRET_FILE: '/nowhere/secret' },
    'SYNCRATOR_SECRET_FILE: /nowhere/secret cannot be read (ENOENT)',
  ],
  ['both forms', { SYNCRATOR_SECRET: SECRET }, 'SYNCRATOR_SECRET and SYNCRATOR_SECRET_FILE are both set'],
  [
    'two passwords',
    { DATABASE_URL: `postgres://a:${'b'.repeat(9)}@c/d` },
    'DATABASE_URL contains a password, too',
  ],
])('%s is refused, and the message contains no secret', (_, settings, words) => {
  const read = () => readConfig({ ...base(), ...settings });
  expect(read).toThrow(words);
  for (const secret of [SECRET, PASSWORD, 'b'.repeat(9)]) expect(read).not.toThrow(secret);
});
