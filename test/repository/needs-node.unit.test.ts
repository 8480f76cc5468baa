/** With an older Node, npm does not fill the terminal with warnings, and a too old Node is reported in one line. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const NEEDS = path.resolve('src/needs-node.cjs');

test.each([
  ['20.20.2', 1],
  ['22.1.0', 1],
  ['24.0.0', 0],
  ['26.3.1', 0],
])('Node %s ends with %i, and if it is too old with one line', (version, code) => {
  const as = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } }); require('${NEEDS}')`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', as], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([code, '']);
  expect(stderr).toMatch(
    code === 0 ? /^$/ : new RegExp(`^Syncrator needs Node 24 .*${version}.*npm ci.*\n$`),
  );
});

test('npm warns of no engine in this checkout', () => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' };
  const level = execFileSync('npm', ['config', 'get', 'loglevel'], { encoding: 'utf8', env });
  expect(level.trim()).toBe('error');
});
