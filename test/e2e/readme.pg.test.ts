/** README.md as a reader types it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RUN_ELSEWHERE, walkPage } from '../support/doc-walk.ts';

walkPage('README.md');

test('a command that is not run here is run as typed elsewhere', () => {
  for (const [command, file] of Object.entries(RUN_ELSEWHERE))
    expect(readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8')).toContain(command);
});
