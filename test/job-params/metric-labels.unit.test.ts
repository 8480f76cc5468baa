/** Tests that metric labels stay bounded by what job_params declares, whatever names callers send. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { metricLabels, allMetricLabels, declaredActions } from '../../src/job-params/metric-labels.ts';
import { type JobParams, loadJobParams } from '../../src/job-params/load.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-counted-'));
let params: JobParams;

beforeAll(async () => {
  const family = 'RUNNER=external\nTARGET_PATTERN=[A-Z_0-9]+\n';
  params = await loadJobParams(
    writeParams(dir, [
      paramsFile({ target: 'avo', action: 'sync' }),
      paramsFile({ target: 'avo', action: 'delta' }),
      paramsFile({ target: 'looks', action: 'sync', command: null, more: 'SCHEDULE=every 60s\nMODE=plan\n' }),
      paramsFile({ target: 'datasets', action: 'SET_STATUS', command: null, more: family }),
    ]),
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const counted = (target: string, name: string, action = name) =>
  Object.values(metricLabels(params, { env: 'dev', target }, { action_name: name, action })).join(' ');

test('labels a declared action by its name, and targets of a pattern by the TARGET of its file', () => {
  expect(counted('avo', 'sync')).toBe('avo sync');
  expect(counted('INCOME_2024', 'SET_STATUS')).toBe('datasets SET_STATUS');
});

test('labels undeclared targets and actions, and misused names, as other', () => {
  expect(counted('avo', 'my-own-word', 'sync')).toBe('avo other');
  expect(counted('avo', 'sync', 'rollback')).toBe('avo other');
  expect(counted('avo', 'rollback')).toBe('avo rollback');
  expect(counted('avo', 'rollback-preview', 'rollback')).toBe('avo rollback-preview');
  expect(counted('avo', 'take-over')).toBe('avo take-over');
  expect(counted('avo', 'remove')).toBe('avo remove');
  expect(counted('avo', 'rollback-preview', 'sync')).toBe('avo other');
  expect(counted('INCOME_2024', 'my-own-word')).toBe('datasets other');
  expect(counted('gone', 'sync')).toBe('other other');
});

test('plans of a target share one label, as do their applications; those that a schedule promises have their own', () => {
  expect([counted('avo', 'plan-sync', 'plan'), counted('avo', 'plan-delta', 'plan')]).toEqual([
    'avo plan',
    'avo plan',
  ]);
  expect(counted('avo', 'apply-sync', 'apply')).toBe('avo apply');
  expect([counted('looks', 'plan-sync', 'plan'), counted('looks', 'plan-delta', 'plan')]).toEqual([
    'looks plan-sync',
    'looks plan',
  ]);
  expect(counted('looks', 'plan-sync', 'sync')).toBe('looks other');
  expect(declaredActions(params)).toContainEqual({ env: 'dev', target: 'looks', action: 'plan-sync' });
});

test('allMetricLabels contains every label that metricLabels returns', () => {
  const keys = allMetricLabels(params).map(({ target, action }) => `${target} ${action}`);
  for (const target of ['avo', 'looks', 'INCOME_2024', 'gone'])
    for (const action of ['sync', 'delta', 'rollback', 'take-over', 'remove', 'SET_STATUS', 'more'])
      for (const does of [action, 'plan', 'apply'])
        expect(keys).toContain(counted(target, `${does}-${action}`, does));
  for (const target of ['avo', 'looks', 'INCOME_2024', 'gone'])
    for (const action of ['sync', 'delta', 'rollback', 'take-over', 'remove', 'SET_STATUS', 'more'])
      expect(keys).toContain(counted(target, action));
  expect(new Set(keys).size).toBe(keys.length);
  expect(declaredActions(params)).toHaveLength(5);
});
