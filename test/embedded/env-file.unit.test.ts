import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadEnvFile, withLines } from '../../src/embedded/env-file.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-env-'));
const file = path.join(folder, '.env');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('variables that are not exported are set, and shadowed ones are named', () => {
  writeFileSync(file, '# ours\nTOKEN=a#b=c\nexport NAME = "two words"\nPORT=1\nSAME=x\n\nEMPTY=\n');
  chmodSync(file, 0o644);
  const env: NodeJS.ProcessEnv = { PORT: '2', SAME: 'x' };
  expect(loadEnvFile(file, env)).toEqual({
    loaded: ['TOKEN', 'NAME', 'EMPTY'],
    shadowed: ['PORT'],
    line: new Map([
      ['TOKEN', 2],
      ['NAME', 3],
      ['EMPTY', 7],
    ]),
    isOpen: true,
  });
  chmodSync(file, 0o600);
  expect(loadEnvFile(file, {})?.isOpen).toBe(false);
  expect(env).toEqual({ PORT: '2', SAME: 'x', TOKEN: 'a#b=c', NAME: 'two words', EMPTY: '' });
});

test('a wrong line is named, never its value', () => {
  writeFileSync(file, 'A=1\nsecret value\n');
  expect(() => loadEnvFile(file, {})).toThrow(`${file}:2 is not KEY=value`);
  writeFileSync(file, 'A=1\nA=2\n');
  expect(() => loadEnvFile(file, {})).toThrow(`${file}:2 sets A a second time`);
});

test('a missing file is no error', () => {
  expect(loadEnvFile(path.join(folder, 'absent'), {})).toBeUndefined();
});

test('a message about a variable of the file shows its line, also with Windows line ends', () => {
  writeFileSync(file, '\uFEFFLOG_LEVEL=loud\r\nPORT=8080\r\n');
  const { line } = loadEnvFile(file, {}) ?? {};
  expect(withLines('LOG_LEVEL is wrong', '.env', line ?? new Map())).toBe(
    'LOG_LEVEL is wrong\n    .env:1 sets LOG_LEVEL',
  );
  expect(withLines('METRICS_PORT is wrong', '.env', line ?? new Map())).toBe('METRICS_PORT is wrong');
});
