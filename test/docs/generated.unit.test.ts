/** The generated pages of docs/reference match the code, and the descriptions beside the code are complete. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIAGNOSIS_DESCRIPTIONS } from '../../src/domain/diagnosis-descriptions.ts';
import { REASON_DESCRIPTIONS } from '../../src/domain/status-descriptions.ts';
import { TARGET_SETTINGS } from '../../src/job/setting-descriptions.ts';
import { stalePages } from '../../tools/docs/main.ts';

/** Everything that the pattern's first group finds in the source files. */
function namesIn(files: string | string[], pattern: RegExp): string[] {
  const found = globSync(files).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name),
  );
  return [...new Set(found)].toSorted();
}

test('no generated page of docs/reference is stale; `npm run docs` writes them', async () => {
  expect(await stalePages()).toEqual([]);
});

test('docs/reference/diagnoses.md has every diagnosis code of the source', () => {
  const source = ['src/runner/**/*.ts', 'src/domain/**/*.ts', 'activities/*.ts', 'workflows/*.ts'];
  const codes = namesIn(source, /^\s*code: '([a-z_]+)'/gm);
  const documented = Object.values(DIAGNOSIS_DESCRIPTIONS).flatMap((of) => Object.keys(of));
  expect(codes.filter((code) => !documented.includes(code))).toEqual([]);
  expect(codes.length).toBeGreaterThan(30);
});

test('docs/reference/statuses.md has every reason that a runner or the worker gives', () => {
  const source = ['src/runner/**/*.ts', 'activities/*.ts'];
  const reasons = [
    ...namesIn(source, /kind: 'waiting',\s+reason: '([a-z_]+)'/g),
    ...namesIn(source, /waiting(?:For)?\(\s*'([a-z_]+)'/g),
    ...namesIn(source, /explain\('([a-z_]+)'/g),
  ];
  const documented = REASON_DESCRIPTIONS.flatMap(({ names }) => names);
  expect(reasons.filter((reason) => !documented.includes(reason))).toEqual([]);
  expect(reasons.length).toBeGreaterThanOrEqual(8);
});

test('docs/reference/settings.md has every target setting that the sync program reads', () => {
  const read = namesIn(
    'src/job/**/*.ts',
    /(?:optional|required|oneOf|url|read\w*)\((?:settings, )?'([A-Z][A-Z_]+)'/g,
  );
  const documented = Object.values(TARGET_SETTINGS).flatMap((settings) => settings.map(({ name }) => name));
  const ofTheRunner = (name: string) => name.startsWith('SYNCRATOR_');
  expect(read.filter((name) => !ofTheRunner(name) && !documented.includes(name))).toEqual([]);
  expect(read.length).toBeGreaterThan(20);
});
