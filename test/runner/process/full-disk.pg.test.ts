/** A program's output does not fill the disk; and a full disk is reported. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shareOf } from '../../../src/domain/log-chunks.ts';
import { createProcessRunner } from '../../../src/runner/process/process-runner.ts';
import type { Runner } from '../../../src/runner/runner.ts';
import { launched, stepLaunch } from '../../support/step-launch.ts';

const MIB = 1024 ** 2;
const installation = randomUUID();
let dataDir: string;
let mounted = false;

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-disk-'));
});

afterEach(() => {
  if (mounted) execFileSync('umount', ['--lazy', dataDir]);
  mounted = false;
  rmSync(dataDir, { recursive: true, force: true });
});

/** A step that runs a shell command. */
function shell(line: string) {
  const step = stepLaunch({ installation });
  // The arguments that every program gets follow: they become the shell's $0 and so on.
  return { ...step, spec: { ...step.spec, command: ['sh', '-c', line] } };
}

async function ended(runner: Runner, step: { name: string; uid: string }) {
  await expect.poll(async () => (await runner.observe(step)).state, { timeout: 30_000 }).toBe('ended');
  const seen = await runner.observe(step);
  return seen.state === 'ended' ? seen.end : undefined;
}

async function readAll(runner: Runner, step: { name: string; uid: string }, limit: number) {
  const reader = runner.openLog(step, { offset: 0, mark: null }, shareOf(limit));
  const parts: { offset: number; text: string }[] = [];
  for (
    let part = await reader.read({ toEnd: true });
    typeof part === 'object';
    part = await reader.read({ toEnd: true })
  )
    parts.push({ offset: part.offset, text: part.bytes.toString() });
  return parts;
}

test('the middle of an endlessly growing log is returned to the file system', async () => {
  const runner = createProcessRunner({ dataDir, installation, logLimit: MIB });
  const line = 'x'.repeat(1023);
  const prints = `echo first; yes ${line} | head -c ${300 * MIB}; echo last; exit 3`;
  const step = await launched(runner, shell(prints));
  expect(await ended(runner, step)).toEqual({ kind: 'exited', exitCode: 3, message: `${line}\nlast` });
  const { size, blocks } = statSync(path.join(dataDir, 'runs', step.name, 'log'));
  expect(size).toBe(300 * MIB + 'first\nlast\n'.length);
  expect((blocks * 512) / MIB).toBeLessThan(16);
  const parts = await readAll(runner, step, MIB);
  const text = parts.map((part) => part.text).join('');
  expect(text.length).toBeLessThan(MIB + 200 * 1024);
  expect(text).not.toContain('\0');
  expect(text.startsWith(`first\n${line}\n`)).toBe(true);
  expect(text.endsWith(`${line}\nlast\n`)).toBe(true);
}, 120_000);

test.runIf(process.getuid?.() === 0)(
  'on a full disk the end of a program is still recorded, and the next launch waits and names the reason',
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', dataDir]);
    mounted = true;
    const runner = createProcessRunner({ dataDir, installation });
    const step = await launched(runner, shell(`cat /dev/zero > ${dataDir}/filler; exit 5`));
    expect(await ended(runner, step)).toEqual({ kind: 'exited', exitCode: 5 });
    mkdirSync(path.join(dataDir, 'runs'), { recursive: true });
    expect(await runner.launch(shell('exit 0'))).toEqual({
      kind: 'waiting',
      reason: 'disk_full',
      detail: `the disk of ${dataDir} is full`,
    });
  },
);
