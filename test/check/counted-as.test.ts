/** Under which names jobs are counted: as many as job_params declares, whatever callers make up. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countedAs, countedKeys, declaredActions } from '../../src/counted-as.ts';
import { type JobParams, loadJobParams } from '../../src/job-params.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-counted-'));
let params: JobParams;

beforeAll(async () => {
  const family = 'RUNNER=external\nTARGET_PATTERN=[A-Z_0-9]+\n';
  params = await loadJobParams(
    writeParams(dir, [
      paramsFile({ target: 'avo', action: 'sync' }),
      paramsFile({ target: 'avo', action: 'delta' }),
      paramsFile({ target: 'datasets', action: 'SET_STATUS', command: null, more: family }),
    ]),
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const counted = (target: string, name: string, action = name) =>
  Object.values(countedAs(params, { env: 'dev', target }, { action_name: name, action })).join(' ');

test('a declared action by its name, a family by the TARGET of its file', () => {
  expect(counted('avo', 'sync')).toBe('avo sync');
  expect(counted('INCOME_2024', 'SET_STATUS')).toBe('datasets SET_STATUS');
});

test('what nobody declared is one, and so is a name for something else than its file does', () => {
  expect(counted('avo', 'my-own-word', 'sync')).toBe('avo other');
  expect(counted('avo', 'sync', 'rollback')).toBe('avo other');
  expect(counted('avo', 'rollback')).toBe('avo rollback');
  expect(counted('INCOME_2024', 'my-own-word')).toBe('datasets other');
  expect(counted('gone', 'sync')).toBe('other other');
});

test('nothing is counted under a name that nobody reads', () => {
  const keys = countedKeys(params).map(({ target, action }) => `${target} ${action}`);
  for (const target of ['avo', 'INCOME_2024', 'gone'])
    for (const action of ['sync', 'delta', 'rollback', 'SET_STATUS', 'more'])
      expect(keys).toContain(counted(target, action));
  expect(new Set(keys).size).toBe(keys.length);
  expect(declaredActions(params)).toHaveLength(3);
});
