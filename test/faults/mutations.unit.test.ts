/** The patches of test/faults/mutations fit the present code: a patch that does not apply removes no protection. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'test/faults/mutations');
const PATCHES = readdirSync(FOLDER).filter((name) => name.endsWith('.patch'));

test('there are patches', () => {
  expect(PATCHES.length).toBeGreaterThan(5);
});

test.each(PATCHES)('%s applies', (name) => {
  execFileSync('git', ['apply', '--check', path.join(FOLDER, name)], { cwd: ROOT, stdio: 'pipe' });
});
