/** Tests which action parameters each microdata operation accepts. */
import { expect, test } from 'vitest';
import { ACTION_PARAMETERS_NAMES, checkActionParameters } from '../../src/job-params/action-parameters.ts';

const update = { name: 'INCOME', description: 'New', operation: 'ADD', releaseStatus: 'PENDING_RELEASE' };
const manifesto = {
  version: '1.2.0.0',
  description: 'Spring',
  releaseTime: 1_790_000_000,
  languageCode: 'no',
  updateType: null,
  dataStructureUpdates: [update],
};
const bump = {
  description: 'Spring',
  bumpManifesto: manifesto,
  bumpFromVersion: '1.1.0.0',
  bumpToVersion: '1.2.0.0',
};

const check = (name: (typeof ACTION_PARAMETERS_NAMES)[number] | null, given: object, target = 'INCOME') => {
  const checked = checkActionParameters(name, target, { ...given });
  return 'faults' in checked
    ? checked.faults.map(({ field, message }) => `${field}: ${message}`)
    : checked.parameters;
};

test('the nine microdata operations have action parameters', () => {
  expect(ACTION_PARAMETERS_NAMES).toEqual(
    'ADD CHANGE PATCH_METADATA SET_STATUS DELETE_DRAFT REMOVE ROLLBACK_REMOVE DELETE_ARCHIVE BUMP'.split(' '),
  );
});

test.each(ACTION_PARAMETERS_NAMES)('%s refuses unknown parameters', (name) => {
  expect(check(name, { colour: 'red' }, 'DATASTORE')).toContain('colour: unknown field');
});

test.each(['ADD', 'CHANGE', 'PATCH_METADATA', 'DELETE_DRAFT', 'ROLLBACK_REMOVE', 'DELETE_ARCHIVE'] as const)(
  '%s accepts a description and requires no parameter',
  (name) => {
    expect(check(name, {})).toEqual({});
    expect(check(name, { description: 'x' })).toEqual({ description: 'x' });
    expect(check(name, { description: '' })).toEqual(['description: must not be empty']);
    expect(check(name, { releaseStatus: 'DRAFT' })).toEqual(['releaseStatus: unknown field']);
  },
);

test('REMOVE requires a description, SET_STATUS a status', () => {
  expect(check('REMOVE', {})).toEqual(['description: is missing']);
  expect(check('REMOVE', { description: 'old' })).toEqual({ description: 'old' });
  expect(check('SET_STATUS', {})).toEqual(['releaseStatus: is missing']);
  expect(check('SET_STATUS', { releaseStatus: 'RELEASED' })).toEqual([
    'releaseStatus: must be one of DRAFT, PENDING_RELEASE, PENDING_DELETE',
  ]);
  expect(check('SET_STATUS', { releaseStatus: 'DRAFT' })).toEqual({ releaseStatus: 'DRAFT' });
});

test('BUMP requires a manifest and accepts only the datastore as its target', () => {
  expect(check('BUMP', bump, 'DATASTORE')).toEqual(bump);
  expect(check('BUMP', bump)).toEqual(['target: must be DATASTORE for BUMP']);
  expect(check('BUMP', {}, 'DATASTORE')).toEqual(
    ['description', 'bumpManifesto', 'bumpFromVersion', 'bumpToVersion'].map((f) => `${f}: is missing`),
  );
  const wrong = {
    ...manifesto,
    releaseTime: '2026',
    dataStructureUpdates: [{ ...update, operation: 'BUMP' }],
  };
  expect(check('BUMP', { ...bump, bumpManifesto: wrong }, 'DATASTORE')).toEqual([
    'bumpManifesto.releaseTime: must be a whole number',
    expect.stringContaining('bumpManifesto.dataStructureUpdates.0.operation: must be one of ADD, CHANGE'),
  ]);
});

test('an action without PARAMETERS accepts no parameters', () => {
  expect(check(null, {})).toEqual({});
  expect(check(null, { description: 'x' })).toEqual(['description: unknown field']);
});
