/** Tests params files of RUNNER=external: target patterns, names in capitals and action parameters. */
import { expect, test } from 'vitest';
import { JobParams } from '../../src/job-params/load.ts';
import { type ParamsFile, parseParamsFile } from '../../src/job-params/parse.ts';

const DATASETS = {
  TARGET: 'datasets',
  ENV: 'prd',
  ACTION_NAME: 'ADD',
  ACTION: 'ADD',
  IS_TAG: 'latest',
  OPTIONS: '',
  RUNNER: 'external',
  TARGET_PATTERN: '[A-Z][A-Z0-9_]*',
  PARAMETERS: 'ADD',
};
const AVO = { TARGET: 'avo', ENV: 'prd', ACTION_NAME: 'sync', ACTION: 'sync', IS_TAG: 'latest', OPTIONS: '' };

function parsed(entries: Record<string, string>, name = 'datasets') {
  const text = Object.entries(entries).map(([key, value]) => `${key}=${value}\n`);
  const action = entries['ACTION_NAME'] ?? '';
  return parseParamsFile(text.join(''), { file: `${name}-${action}`, env: 'prd', name, action });
}

function good(entries: Record<string, string>, name?: string): ParamsFile {
  const file = parsed(entries, name);
  if (!('parameters' in file)) throw new Error(JSON.stringify(file));
  return file;
}

function faultOf(entries: Record<string, string>): string {
  const file = parsed(entries);
  return 'parameters' in file ? 'none' : file.map(({ key, fault }) => `${key}: ${fault}`).join('; ');
}

test('a pattern declares every target whose whole name matches, except targets declared by name', () => {
  const params = new JobParams([
    good(DATASETS),
    good({ ...DATASETS, ACTION_NAME: 'REMOVE', ACTION: 'REMOVE', PARAMETERS: 'REMOVE' }),
    good({ ...DATASETS, TARGET: 'DATASTORE', ACTION_NAME: 'BUMP', TARGET_PATTERN: 'DATASTORE' }, 'bumps'),
    good({ ...AVO, TARGET: 'avo' }, 'avo-files'),
    good({ ...DATASETS, TARGET: 'OWN', TARGET_PATTERN: 'OWN|A' }, 'more'),
    good({ ...AVO, RUNNER: 'external', TARGET: 'OWN_ALONE' }, 'alone'),
  ]);
  const of = (target: string, env = 'prd') =>
    params.filesOf({ env, target }).map((f) => `${f.parameters.action_name} of ${f.target} as ${f.name}`);
  expect(of('INCOME_2026')).toEqual([
    'ADD of INCOME_2026 as INCOME_2026',
    'REMOVE of INCOME_2026 as INCOME_2026',
  ]);
  expect(of('DATASTORE')).toHaveLength(3);
  // An alternative must match the whole name, too.
  expect(of('OWN')).toHaveLength(3);
  expect(of('OWNx')).toEqual([]);
  expect(of('OWN_ALONE')).toEqual(['sync of OWN_ALONE as alone']);
  expect(of('alone')).toEqual(['sync of OWN_ALONE as alone']);
  expect(of('avo')).toEqual(['sync of avo as avo-files']);
  for (const none of ['datasets', 'income', 'INCOME 2026', 'A\n', '', 'X'.repeat(101), '../ADD'])
    expect(of(none), none).toEqual([]);
  expect(of('INCOME_2026', 'qas')).toEqual([]);
  const find = (name: string, action: string) => params.find({ env: 'prd', name, action })?.target;
  expect([find('INCOME', 'REMOVE'), find('datasets', 'ADD'), find('INCOME', 'CHANGE')]).toEqual([
    'INCOME',
    undefined,
    undefined,
  ]);
});

test.each([
  [
    { RUNNER: 'process' },
    /TARGET_PATTERN: is only for RUNNER=external; PARAMETERS: is only for RUNNER=external/,
  ],
  [{ RUNNER: 'kubernetes', ACTION_NAME: 'add' }, /TARGET_PATTERN: is only for RUNNER=external/],
  [{ TARGET_PATTERN: '[A-Z' }, /^TARGET_PATTERN: '\[A-Z': '\[A-Z' cannot be read; a pattern consists of/],
  [{ TARGET_PATTERN: 'A)|(B' }, /^TARGET_PATTERN: .*'\)' cannot be read/],
  [{ TARGET_PATTERN: '' }, /^TARGET_PATTERN: is empty/],
  [{ PARAMETERS: 'ADDITION' }, /^PARAMETERS: 'ADDITION' is unknown; known: ADD CHANGE .*BUMP/],
  [{ PARAMETERS: 'toString' }, /^PARAMETERS: 'toString' is unknown/],
  [{ SCHEDULE: 'every 60s' }, /^SCHEDULE: cannot be used with TARGET_PATTERN/],
  [{ TARGET: 'two words' }, /^TARGET: 'two words' is not a name of A-Z/],
  [{ ACTION: 'X'.repeat(41) }, /^ACTION: .* is not a name of A-Z/],
])('%j is refused', (change, fault) => {
  expect(faultOf({ ...DATASETS, ...change })).toMatch(fault);
});

test('only RUNNER=external accepts names in capitals', () => {
  expect(faultOf({ ...AVO, TARGET: 'AVO', ACTION: 'SYNC' })).toMatch(/TARGET: 'AVO'.*ACTION: 'SYNC'/);
});
