/** Checks the names that Kubernetes gets for every declared target: valid, and unique. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scheduleId, settingsKey, stepName, workflowId } from '../../src/domain/names.ts';
import { JobParamsError, loadJobParams } from '../../src/job-params/load.ts';
import { labelsOf } from '../../src/runner/kubernetes/labels.ts';
import { settingsName } from '../../src/runner/kubernetes/render.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /^(?=.{1,63}$)[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$/;
const DNS_LABEL = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const { files } = await loadJobParams(path.resolve(import.meta.dirname, '../../job_params'));
const keys = [...new Map(files.map((file) => [`${file.env} ${file.target}`, file])).values()];

test('every label and Job name of a declared target is valid in Kubernetes', () => {
  expect(keys.length).toBeGreaterThan(20);
  const names = new Set<string>();
  for (const { env, target, parameters } of files) {
    const of = { jobUid: randomUUID(), action: parameters.action, step: 1, attempt: 10 };
    const more = { installation: randomUUID(), jobId: 2_147_483_647, env, target, specHash: '' };
    for (const value of Object.values(labelsOf({ ...of, ...more }))) expect(value).toMatch(LABEL_VALUE);
    const name = stepName({ ...of, uid: of.jobUid });
    expect(name).toMatch(DNS_LABEL);
    names.add(name);
  }
  expect(names.size).toBe(files.length);
});

test.each([
  ['workflow', workflowId],
  ['settings', settingsKey],
  ['ConfigMap and Secret', settingsName],
])('no two of them share a %s', (_, nameOf) => {
  expect(new Set(keys.map(nameOf)).size).toBe(keys.length);
});

test('ConfigMap and Secret names of a key are DNS labels, different for each key', () => {
  for (const key of keys) {
    expect(settingsName(key)).toMatch(DNS_LABEL);
    expect(settingsName(key)).toContain(settingsKey(key));
  }
});

test('no two files share a schedule', () => {
  const ids = files.map(({ env, target, parameters }) =>
    scheduleId({ env, target, action: parameters.action_name }),
  );
  expect(new Set(ids).size).toBe(files.length);
});

test.each([
  [
    'settings',
    [
      ['dev', 'a_b'],
      ['dev', 'a-b'],
    ],
    '',
    /-sync\.public_params:1: TARGET: .* would share its settings 'dev-a-b'/,
  ],
  [
    'settings',
    [
      ['dev', 'x-b'],
      ['dev-x', 'b'],
    ],
    '',
    /TARGET: 'b' would share its settings 'dev-x-b'/,
  ],
  [
    'schedule',
    [
      ['dev', 'a', 'one'],
      ['dev', 'a', 'two'],
    ],
    'SCHEDULE=every 60s\n',
    /SCHEDULE: its name dev\.a\.sync/,
  ],
] as const)('two files that would share %s are refused', async (_, made, more, fault) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-names-'));
  try {
    for (const [env, target, name = target] of made) {
      mkdirSync(path.join(folder, env), { recursive: true });
      const lines = `TARGET=${target}\nENV=${env}\nACTION_NAME=sync\nACTION=sync\nIS_TAG=v1\nOPTIONS=\n${more}`;
      writeFileSync(path.join(folder, env, `${name}-sync.public_params`), lines);
    }
    const error: unknown = await loadJobParams(folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JobParamsError);
    expect((error as Error).message).toMatch(fault);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
