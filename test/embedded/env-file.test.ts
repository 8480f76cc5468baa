import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadEnvFile } from '../../src/embedded/env-file.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-env-'));
const file = path.join(folder, '.env');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('sets what is not exported, and names what an exported variable shadows', () => {
  writeFileSync(file, '# ours\nTOKEN=a#b=c\nexport NAME = "two words"\nPORT=1\nSAME=x\n\nEMPTY=\n');
  const env: NodeJS.ProcessEnv = { PORT: '2', SAME: 'x' };
  expect(loadEnvFile(file, env)).toEqual({ loaded: ['TOKEN', 'NAME', 'EMPTY'], shadowed: ['PORT'] });
  expect(env).toEqual({ PORT: '2', SAME: 'x', TOKEN: 'a#b=c', NAME: 'two words', EMPTY: '' });
});

test('names the line that is wrong, never its value', () => {
  writeFileSync(file, 'A=1\nsecret value\n');
  expect(() => loadEnvFile(file, {})).toThrow(`${file}:2 is not KEY=value`);
  writeFileSync(file, 'A=1\nA=2\n');
  expect(() => loadEnvFile(file, {})).toThrow(`${file}:2 sets A a second time`);
});

test('no file is no fault', () => {
  expect(loadEnvFile(path.join(folder, 'absent'), {})).toBeUndefined();
});
