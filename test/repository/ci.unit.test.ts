/** The GitHub workflow and .ci/run start the same scripts, and each of them exists. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

type Step = { readonly uses?: string; readonly run?: string };
type Workflow = { readonly jobs: Record<string, { readonly steps: readonly Step[] }> };

const read = (file: string) => readFileSync(file, 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const { jobs } = parse(read('.github/workflows/ci.yml')) as Workflow;
const steps = Object.values(jobs).flatMap((job) => job.steps);
const commands = steps.flatMap(({ run }) => (run === undefined ? [] : [run.trim()]));
const SCRIPT = /\bnpm (?:run (?<script>[\w:-]+)|(?<test>test))/;

/** The script of an `npm run`, or of `npm test`. */
function scriptOf(command: string): string | undefined {
  const { script, test: named } = SCRIPT.exec(command)?.groups ?? {};
  return script ?? named;
}

test('the workflow has a job for each part of the check', () => {
  expect(Object.keys(jobs)).toEqual(['check', 'test', 'kubernetes', 'image', 'faults', 'bench']);
});

test.each([...new Set(commands)])('%s exists', (command) => {
  if (command === 'npm ci --no-audit --no-fund') return;
  const script = scriptOf(command);
  if (script === undefined) expect([command, existsSync(command)]).toEqual([command, true]);
  else expect(Object.keys(scripts)).toContain(script);
});

test('each action is pinned to a major version', () => {
  const actions = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
  expect(actions.filter((action) => !/^[\w-]+\/[\w-]+@v\d+$/.test(action))).toEqual([]);
});

test('every script that .ci/run starts is part of the workflow, with the same options', () => {
  const lines = read('.ci/run').match(/(?<=^stage '[^']+' \d+ )npm (?:run|test).*$/gm) ?? [];
  expect(lines.length).toBeGreaterThan(8);
  const started = new Set(commands.map(scriptOf));
  for (const line of lines) {
    const script = scriptOf(line) ?? '';
    expect(Object.keys(scripts)).toContain(script);
    const parts = script === 'test' || script === 'check' ? partsOf(script) : [script];
    expect([script, parts.filter((part) => !started.has(part))]).toEqual([script, []]);
  }
  const [, from] = /--from (\w{40})/.exec(read('.ci/run')) ?? [];
  expect(commands.filter((command) => command.includes('--from'))).toEqual([
    `npm run faults:tenth -- --from ${from}`,
  ]);
});

/** The scripts that a script consists of, down to those that run a program. */
function partsOf(script: string): string[] {
  return (scripts[script] ?? '').split(' && ').flatMap((command) => {
    const part = scriptOf(command);
    return part === undefined ? [] : part === 'check' ? partsOf(part) : [part];
  });
}
