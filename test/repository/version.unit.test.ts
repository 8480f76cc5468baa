/** package.json alone sets the version; every other place that shows one agrees. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { VERSION } from '../../src/version.ts';

const read = (file: string) => readFileSync(file, 'utf8');

test('the version is that of package.json and of package-lock.json', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const lock = JSON.parse(read('package-lock.json')) as { version: string };
  expect([VERSION, lock.version]).toEqual([version, version]);
});

test('the Helm chart and its appVersion have the version of package.json', () => {
  const chart = parse(read('deploy/chart/Chart.yaml')) as { version: string; appVersion: string };
  expect([chart.version, chart.appVersion]).toEqual([VERSION, VERSION]);
});

test('syncrator --version prints the version', () => {
  const program = createProgram({});
  let printed = '';
  program.configureOutput({ writeOut: (text) => (printed += text) });
  expect(() => program.parse(['--version'], { from: 'user' })).toThrow(CommanderError);
  expect(printed).toBe(`${VERSION}\n`);
});

test('the newest release in CHANGELOG.md is the version of package.json', () => {
  const released = [...read('CHANGELOG.md').matchAll(/^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/gm)];
  expect(released[0]?.[1]).toBe(VERSION);
});
