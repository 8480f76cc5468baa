/** The parser of commands in Markdown, on which the tests of README.md and docs/tutorial.md rely. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { missingLine, readDocCommands } from '../support/doc-commands.ts';

test('a text block belongs to the sh block before it, and an exit code to its fence', () => {
  const markdown =
    '1. Do it:\n\n   ```sh exit=2\n   one\n   two\n   ```\n   ```text\n   said …\n\n   done\n   ```\n\n```\nnot run\n```\n';
  expect(readDocCommands(markdown)).toEqual([
    { line: 3, code: 'one\ntwo', exit: 2, expected: ['said …', 'done'] },
  ]);
});

test('a promised line is found with any spacing, and the first missing or misplaced one is named', () => {
  const output = 'job      1: sync\nstatus   completed\ntook     3s\n';
  expect(missingLine(['job 1: sync', 'took …'], output)).toBeUndefined();
  expect(missingLine(['took …', 'job 1: sync'], output)).toBe('job 1: sync');
  expect(missingLine(['job 1: syn'], output)).toBe('job 1: syn');
  expect(missingLine(['job 1. sync'], output)).toBe('job 1. sync');
});

test('README.md fits on one page of 150 lines', () => {
  expect(readFileSync('README.md', 'utf8').split('\n').length - 1).toBeLessThanOrEqual(150);
});

test('README.md and docs/tutorial.md promise output for all commands except those that install, test or only prepare', () => {
  const silent = ['README.md', 'docs/tutorial.md'].flatMap((page) =>
    readDocCommands(readFileSync(page, 'utf8')).filter(({ expected }) => expected.length === 0),
  );
  expect(silent.map(({ code }) => code)).toEqual(['npm ci && npm test', 'npm ci']);
});
