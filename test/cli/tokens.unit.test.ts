/** The file of stored tokens: anything else in its place counts as no token, and a login repairs it if possible. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { keepToken, readToken, tokenFile } from '../../src/cli/tokens.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-tokens-'));
const file = tokenFile(home);
const url = 'http://127.0.0.1:8080';
const token = { token: 'a.b-c', renewAt: 1 };

beforeEach(() => {
  rmSync(path.dirname(file), { recursive: true, force: true });
  mkdirSync(path.dirname(file));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each([
  ['empty', ''],
  ['cut', '{'],
  ['of another kind', '["x"]'],
  ['null', 'null'],
  ['not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x00])],
  ['a token that is not UTF-8', Buffer.from(`{"${url}":{"token":"a\u00ff","renewAt":1}}`, 'latin1')],
])('a file that is %s has no token, and a login rewrites it', (_, content) => {
  writeFileSync(file, content);
  expect(readToken(file, url)).toBeUndefined();
  keepToken(file, url, token);
  expect(readToken(file, url)).toEqual(token);
  expect([(statSync(file).mode & 0o777).toString(8), readdirSync(path.dirname(file))]).toEqual([
    '600',
    ['tokens.json'],
  ]);
});

test('an unreadable file is replaced', () => {
  writeFileSync(file, '{');
  chmodSync(file, 0);
  expect(readToken(file, url)).toBeUndefined();
  keepToken(file, url, token);
  expect(readToken(file, url)).toEqual(token);
});

test('a broken entry of one server does not affect the others', () => {
  writeFileSync(file, JSON.stringify({ [url]: token, other: { token: 7 } }));
  expect([readToken(file, url), readToken(file, 'other')]).toEqual([token, undefined]);
});

test('a folder in its place, and a folder without write permission, are reported with what to do', () => {
  mkdirSync(file);
  expect(readToken(file, url)).toBeUndefined();
  expect(() => keepToken(file, url, token)).toThrow(
    /cannot store the token in .*tokens\.json \(EISDIR.*XDG_CONFIG_HOME/,
  );
  expect(readdirSync(path.dirname(file))).toEqual(['tokens.json']);
  expect(() => keepToken('/sys/syncrator/tokens.json', url, token)).toThrow(
    /cannot store the token in \/sys\/syncrator.*SYNCRATOR_TOKEN/,
  );
  keepToken('/sys/syncrator/tokens.json', url, undefined); // a logout without stored tokens succeeds
});

test('the lock of a killed login delays others only briefly', () => {
  writeFileSync(`${file}.lock`, '');
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(`${file}.lock`, minuteAgo, minuteAgo);
  const began = performance.now();
  keepToken(file, url, token);
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(readToken(file, url)).toEqual(token);
});

test('simultaneous logins keep all tokens', async () => {
  const servers = ['http://a', 'http://b', 'http://c', 'http://d', 'http://e'];
  const program = path.join(home, 'login.ts');
  writeFileSync(
    program,
    `import { keepToken } from ${JSON.stringify(path.resolve('src/cli/tokens.ts'))};
     const [file, url] = process.argv.slice(2);
     for (let at = 0; at < 50; at += 1) keepToken(file, url + at, { token: 'x', renewAt: at });`,
  );
  const ended = servers.map((server) => once(fork(program, [file, server], { execArgv: [] }), 'exit'));
  expect((await Promise.all(ended)).map(([code]) => code as number)).toEqual([0, 0, 0, 0, 0]);
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object)).toHaveLength(250);
});
