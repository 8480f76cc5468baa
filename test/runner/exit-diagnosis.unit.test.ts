/** Every exit code of the program has its own diagnosis, which says what to do. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { planSteps, STEP_DEFAULTS } from '../../src/domain/plan.ts';
import { explainExit } from '../../src/runner/exit-diagnosis.ts';

const words = { phase: 'failed', message: 'what the program said' };
/** Exit codes without their own diagnosis. */
const WITHOUT_MEANING = ['ok', 'failed', 'terminated'];
const named = Object.entries(EXIT).filter(([name]) => !WITHOUT_MEANING.includes(name));

test.each(named)('exit code "%s" has a diagnosis of that code, with a summary and a fix', (name, code) => {
  const outcome = explainExit(code, words);
  if (outcome.kind !== 'failed') throw new Error(outcome.kind);
  const { diagnosis } = outcome;
  expect(diagnosis.code).toBe(name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  expect(diagnosis.detail).toBe('what the program said');
  expect(diagnosis.summary).toMatch(/^[A-Z].*\.$/);
  expect(diagnosis.what_to_do).toMatch(/^[A-Z].*\.$/);
});

test('no two exit codes share a summary', () => {
  const summaries = named.map(([, code]) => {
    const outcome = explainExit(code, words);
    return outcome.kind === 'failed' ? outcome.diagnosis.summary : outcome.kind;
  });
  expect(new Set(summaries).size).toBe(named.length);
});

test('an unknown exit code is described by its number', () => {
  expect(explainExit(99, undefined)).toMatchObject({
    kind: 'failed',
    diagnosis: { code: 'exit_code', summary: 'The program ended with exit code 99.', detail: 'exit code 99' },
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 22, 126, 127, 137, 139, 143, 255])(
  'exit code %i of a program with its own exit codes is described only by its number',
  (code) => {
    const outcome = explainExit(code, undefined, { logEnd: 'curl: (3) bad URL', ownExitCodes: true });
    if (outcome.kind !== 'failed') throw new Error(outcome.kind);
    const { diagnosis } = outcome;
    expect([diagnosis.code, diagnosis.detail]).toEqual(['exit_code', 'curl: (3) bad URL']);
    expect(diagnosis.summary).toContain(`exit code ${code}`);
    expect(`${diagnosis.summary} ${diagnosis.what_to_do}`).not.toMatch(/data|guard|OPTIONS|touched|changed/);
  },
);

test('a program that has sent a report gets our meanings of exit codes', () => {
  const outcome = explainExit(3, { phase: 'comparing', message: null }, { ownExitCodes: true });
  expect(outcome).toMatchObject({ diagnosis: { code: 'delete_guard' } });
});

test('the shell convention of an exit code is shown for our programs and for others', () => {
  const summary = (code: number, ownExitCodes: boolean) => {
    const outcome = explainExit(code, undefined, { ownExitCodes });
    return outcome.kind === 'failed' ? outcome.diagnosis.summary : '';
  };
  for (const own of [true, false]) {
    expect(summary(127, own)).toBe(
      'The program ended with exit code 127 (by shell convention: the command was not found).',
    );
    expect(summary(139, own)).toContain('ended by SIGSEGV');
    expect(summary(134, own)).toContain('ended by signal 6');
  }
  expect(summary(143, true)).toContain('ended by SIGTERM');
});

test('credentials in the quoted end of a log are masked', () => {
  const outcome = explainExit(1, undefined, { logEnd: 'no route to https://me:secret@host/' });
  expect(outcome).toMatchObject({ diagnosis: { detail: 'no route to https://<FILTERED>@host/' } });
});

test('a step with COMMAND or IMAGE has its own exit codes, unless its params file says otherwise', () => {
  const own = (more: Partial<typeof STEP_DEFAULTS>) => {
    const parameters = {
      action_name: 'sync',
      action: 'sync',
      is_tag: 'latest',
      options: '',
      mam_main_query: null,
    };
    const plan = planSteps(parameters, { ...STEP_DEFAULTS, ...more });
    return 'steps' in plan ? plan.steps[0]?.ownExitCodes : plan.error;
  };
  expect([own({ command: ['x'] }), own({ image: 'x' })]).toEqual([true, true]);
  expect([
    own({}),
    own({ command: ['x'], keepsContract: true }),
    own({ image: 'x', keepsContract: true }),
  ]).toEqual([undefined, undefined, undefined]);
});

test('docs/reference/programs.md lists every exit code with its diagnosis code', () => {
  const docs = readFileSync(new URL('../../docs/reference/programs.md', import.meta.url), 'utf8');
  const rows = [...docs.matchAll(/^\| (\d+) \| (?:`(\w+)`)? ?\|/gm)].map(([, code, word]) => [
    Number(code),
    word,
  ]);
  const expected = Object.values(EXIT).map((code) => {
    const outcome = explainExit(code, words);
    return [code, outcome.kind === 'failed' ? outcome.diagnosis.code : undefined];
  });
  expect(rows).toEqual(expected);
});
