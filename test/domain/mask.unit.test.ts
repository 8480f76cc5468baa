/** Masking of credentials in the texts of programs. */
import { expect, it } from 'vitest';
import { maskCredentials } from '../../src/domain/mask.ts';
import { nearest } from '../../src/domain/closest-match.ts';

const MAC = 'aZ-_'.repeat(10) + 'abc';
const JWT = `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZG1pbiIsImlhdCI6MX0.${MAC}`;

it.each([
  ['postgres://user:pass@host:5432/db', 'postgres://<FILTERED>@host:5432/db'],
  ['postgres://user:p@ss@host/db', 'postgres://<FILTERED>@host/db'],
  ['{"url":"amqp://me:x@q/","to":"a@b.c"}', '{"url":"amqp://<FILTERED>@q/","to":"a@b.c"}'],
  ['https://token@h/?token=x&page=2', 'https://<FILTERED>@h/?token=<FILTERED>&page=2'],
  ['mail a@b.c about https://h/x', 'mail a@b.c about https://h/x'],
  [`TOKEN=syn_0123456789abcdef_${'aZ-_'.repeat(10)}abc;`, 'TOKEN=syn_0123456789abcdef_<FILTERED>;'],
  ["postgres://u:pa'ss@h/x", 'postgres://<FILTERED>@h/x'],
  ['postgres://u:pa"ss@h/x', 'postgres://<FILTERED>@h/x'],
  ["url='postgres://u:pa',ss@h/x'", "url='postgres://<FILTERED>@h/x'"],
  [`{"a":"http://h:80","b":"x","to":"a@b.c"}`, `{"a":"http://h:80","b":"x","to":"a@b.c"}`],
  [`{"a":"http://h/x","b":"http://u:p'q@h"}`, `{"a":"http://h/x","b":"http://<FILTERED>@h"}`],
  // Cut in the middle of the password.
  ['postgres://user:pass', 'postgres://<FILTERED>'],
  [`{"url":"postgres://user:pa`, `{"url":"postgres://<FILTERED>`],
  ['http://host:8080/a http://host:8080', 'http://host:8080/a http://host:8080'],
  [
    'http://[::1]:8080/ docker://alpine:3.19 file://c:/x',
    'http://[::1]:8080/ docker://alpine:3.19 file://c:/x',
  ],
  [`REPORT_TOKEN=0.1.${MAC}`, 'REPORT_TOKEN=0.1.<FILTERED>'],
  [`a report by 12.345.${MAC} was refused`, 'a report by 12.345.<FILTERED> was refused'],
  [`${MAC} 1.22.333 0.1.x`, `${MAC} 1.22.333 0.1.x`],
  [`Authorization: Bearer ${JWT}`, 'Authorization: Bearer <FILTERED>'],
  [`got {"access_token":"${JWT}"}`, 'got {"access_token":"<FILTERED>"}'],
  [`a=${JWT};b`, 'a=<FILTERED>;b'],
  [JWT.slice(0, 40), '<FILTERED>'],
  ['Authorization: bearer 0123456789abcdef', 'Authorization: bearer <FILTERED>'],
  ['Authorization: Basic dXNlcjpwYXNz=', 'Authorization: Basic <FILTERED>'],
  ['"authorization": "Basic dXNlcjpwYXNz"', '"authorization": "Basic <FILTERED>"'],
  ['send a bearer token, or use basic authentication', 'send a bearer token, or use basic authentication'],
  ['PRIVATE-TOKEN: glpat-abcDEF123_4567890-xyz', 'PRIVATE-TOKEN: <FILTERED>'],
  ['PRIVATE-TOKEN: of-the-old-form-20', 'PRIVATE-TOKEN: <FILTERED>'],
  ['with glpat-abcDEF123_4567890-xyz.01.0a1b2c3d4 in it', 'with glpat-<FILTERED> in it'],
  ['run --token x --verbose', 'run --token <FILTERED> --verbose'],
  ['run --password=x --api-key  "a b" c', 'run --password=<FILTERED> --api-key  <FILTERED> c'],
  ["run --db-password='it is' --token-file f", 'run --db-password=<FILTERED> --token-file f'],
  ['run --password --verbose', 'run --password --verbose'],
  ['PGPASSWORD=x\nHOME=/root\nAPI_KEY=y', 'PGPASSWORD=<FILTERED>\nHOME=/root\nAPI_KEY=<FILTERED>'],
  ['{"user":"u","password": "p q","n":1}', '{"user":"u","password": "<FILTERED>","n":1}'],
  [String.raw`{"password": "ab\"cd\\","n":1}`, '{"password": "<FILTERED>","n":1}'],
  ['{"user":"u","password": "p q', '{"user":"u","password": "<FILTERED>"'],
  [
    String.raw`{"msg":"{\"password\": \"ab\\\"cd\",\"n\":1}","user":"u"}`,
    String.raw`{"msg":"{\"password\": \"<FILTERED>\",\"n\":1}","user":"u"}`,
  ],
  ['-n 1000 -c 1', '-n 1000 -c 1'],
])('%s is shown as %s', (text, shown) => {
  expect(maskCredentials(text)).toBe(shown);
});

it.each([
  '//a',
  'http://a:b"',
  "postgres://u:x',",
  '--token ',
  '--',
  '-',
  'A_',
  'TOKEN=',
  'eyJ',
  'bearer ',
  'bearer a',
  '"',
  '"token":',
  '"token":"\\"',
  String.raw`\"token\":\"`,
  String.raw`\"token\":\"\\`,
  '?token=',
  '0.1.',
  'glpat-',
  'private-token:',
  ' ',
  '@',
])('masks many repetitions of %j quickly', (text) => {
  const began = performance.now();
  maskCredentials(text.repeat(300_000));
  expect(performance.now() - began).toBeLessThan(10_000);
});

it('masked text stays unchanged', () => {
  for (const text of [
    'a=postgres://<FILTERED>@h/x',
    '--token <FILTERED>',
    'X_TOKEN=<FILTERED>',
    'Bearer <FILTERED>',
    '{"password": "<FILTERED>"}',
    String.raw`{\"password\": \"<FILTERED>\"}`,
  ])
    expect(maskCredentials(text)).toBe(text);
});

it('closestMatches names what somebody may have meant', () => {
  expect(nearest('avo', ['avo2', 'avosubtitles', 'cities'])).toEqual(['avo2', 'avosubtitles']);
  expect(nearest('zzzzzzz', ['avo'])).toEqual([]);
});
