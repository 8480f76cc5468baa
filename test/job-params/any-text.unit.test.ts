/** Property tests of params files: any text is read or refused with file, line and key; valid values come back unchanged. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NAME_PATTERN, TAG_PATTERN } from '../../src/domain/names.ts';
import { type JobParams, JobParamsError, loadJobParams } from '../../src/job-params/load.ts';

const FILE = 'job_params/dev/avo-sync.public_params';
let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'syncrator-text-'));
  mkdirSync(path.dirname(path.join(root, FILE)), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function read(text: string | Uint8Array): Promise<JobParams | Error> {
  writeFileSync(path.join(root, FILE), text);
  return await loadJobParams(path.join(root, 'job_params')).catch((error: Error) => error);
}

const GOOD = ['TARGET=avo', 'ENV=dev', 'ACTION_NAME=sync', 'ACTION=sync', 'IS_TAG=latest', 'OPTIONS='];
const KEYS =
  'TARGET ENV ACTION_NAME ACTION IS_TAG OPTIONS RUNNER IMAGE COMMAND SCHEDULE TIMEZONE TIMEOUT START_TIMEOUT RETRIES ' +
  'CPU MEMORY POD_OVERRIDES MAX_DELETE_PERCENT MAX_DELETE_RECORDS MAX_UPDATE_PERCENT MAM_MAIN_QUERY __proto__ constructor toString target ';
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    ' ',
    '=',
    '\0',
    '\u2028',
    '\ufeff',
    '\ud800',
    '0 0 * * *',
    'every 1s',
    '{}',
    '[]',
    '1e9',
  ),
  fc.constantFrom(
    '{"__proto__":{"a":1}}',
    '{"labels":null}',
    '\\',
    '$(id)',
    '10%',
    '-1',
    '999999999999999999999',
  ),
);
const anyLine = fc.oneof(
  fc.tuple(fc.constantFrom(...KEYS.split(' '), ' TARGET'), anyText).map(([key, value]) => `${key}=${value}`),
  fc.constantFrom(...GOOD, '', '# a comment'),
  anyText,
);
const anyFile = fc
  .tuple(fc.boolean(), fc.array(anyLine, { maxLength: 8 }), fc.constantFrom('\n', '\r\n', '\r'))
  .map(([good, lines, end]) => [...(good ? GOOD : []), ...lines].join(end));

test('reads any text or refuses it with file, line and key', async () => {
  let [taken, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyFile, fc.uint8Array({ maxLength: 200 })), async (text) => {
      const params = await read(text);
      if (params instanceof Error) {
        expect(params).toBeInstanceOf(JobParamsError);
        const [, line] =
          /^job_params\/dev\/avo-sync\.public_params:(\d+): [^]+: [^]+$/.exec(params.message) ?? [];
        expect(Number(line), params.message).toBeGreaterThanOrEqual(1);
        expect(Number(line)).toBeLessThanOrEqual(Buffer.from(text).toString().split('\n').length);
        refused += 1;
      } else {
        expect(params.files).toHaveLength(1);
        taken += 1;
      }
    }),
    { numRuns: 1_500 },
  );
  expect(Math.min(taken, refused)).toBeGreaterThan(0);
});

test('returns valid values unchanged', async () => {
  const text = fc
    .string({ unit: 'grapheme' })
    // oxlint-disable-next-line no-control-regex -- characters that a params file may not contain
    .filter((value) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value));
  const valid = fc.record({
    TARGET: fc.stringMatching(NAME_PATTERN),
    ACTION: fc.stringMatching(NAME_PATTERN),
    IS_TAG: fc.stringMatching(TAG_PATTERN),
    OPTIONS: text,
    COMMAND: fc.array(fc.stringMatching(/^[!-~]+$/), { minLength: 1 }).map((words) => words.join(' ')),
    MAM_MAIN_QUERY: text,
    RETRIES: fc.integer({ min: 0, max: 10 }).map(String),
    MAX_DELETE_PERCENT: fc.integer({ min: 0, max: 100 }).map(String),
    MAX_DELETE_RECORDS: fc.integer({ min: 0, max: 1_000_000_000 }).map(String),
    MAX_UPDATE_PERCENT: fc.integer({ min: 1, max: 100 }).map(String),
    TIMEOUT: fc.integer({ min: 1, max: 9_999_999 }).map((seconds) => `${seconds}s`),
  });
  await fc.assert(
    fc.asyncProperty(valid, fc.constantFrom('\n', '\r\n'), async (entries, end) => {
      const lines = Object.entries({ ...entries, ENV: 'dev', ACTION_NAME: 'sync' });
      const params = await read(lines.map(([key, value]) => `${key}=${value}${end}`).join(''));
      if (params instanceof Error) throw params;
      expect(params.files[0]).toMatchObject({
        target: entries.TARGET,
        parameters: {
          action: entries.ACTION,
          is_tag: entries.IS_TAG,
          options: entries.OPTIONS,
          mam_main_query: entries.MAM_MAIN_QUERY,
        },
        defaults: {
          command: entries.COMMAND.split(' '),
          retries: Number(entries.RETRIES),
          maxDeletePercent: Number(entries.MAX_DELETE_PERCENT),
          maxDeleteRecords: Number(entries.MAX_DELETE_RECORDS),
          maxUpdatePercent: Number(entries.MAX_UPDATE_PERCENT),
          timeoutSeconds: Number.parseInt(entries.TIMEOUT, 10),
        },
      });
    }),
    { numRuns: 300 },
  );
});
