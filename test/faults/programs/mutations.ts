/**
 * Guards against tests that prove nothing: removes one protection of the product at a time, in a copy of the tree,
 * and runs the check that must notice. The first lines of each patch state what it removes and which command must
 * turn red.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Program } from '../program.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PATCHES = path.join(import.meta.dirname, '../mutations');
const LIMIT_MS = 240_000;
const COMMAND = /^Red: (npm|npx) (.+)$/m;

export const mutations: Program = {
  name: 'mutations',
  summary: 'removes one protection at a time; each time something must turn red',
  async run({ seed, say }) {
    const names = readdirSync(PATCHES)
      .filter((name) => name.endsWith('.patch'))
      .toSorted();
    const violations: string[] = [];
    const red: Record<string, string> = {};
    for (const name of names) {
      const text = readFileSync(path.join(PATCHES, name), 'utf8');
      const [, program, args] = COMMAND.exec(text) ?? [];
      if (program === undefined || args === undefined)
        throw new Error(`${name} has no line "Red: <command>"`);
      say(`${name}: ${program} ${args}`);
      const noticed = await tryWith(path.join(PATCHES, name), program, args.split(' '), seed);
      if (noticed === undefined) violations.push(`${name}: ${args} stays green without it`);
      else {
        red[path.basename(name, '.patch')] = noticed;
        say(`${name}: red: ${noticed}`);
      }
    }
    return { n: names.length, expected: 8, violations, red };
  },
};

/**
 * What the check reported; undefined if it passed all the same.
 * @throws Error if the patch does not apply
 */
async function tryWith(patch: string, program: string, args: string[], seed: number) {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'syncrator-mutation-'));
  try {
    const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
    for (const file of files.split('\0').filter((name) => name !== '')) {
      mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
      cpSync(path.join(ROOT, file), path.join(copy, file));
    }
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
    execFileSync('git', ['apply', '--whitespace=nowarn', patch], { cwd: copy });
    const seeded = args.includes('faults') ? [...args, '--seed', String(seed)] : args;
    const { code, output } = await run(program, seeded, copy);
    if (code === 0) return undefined;
    return firstSign(output, `${program} ${args.join(' ')} ended with ${code}:\n${output.slice(-2_000)}`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @throws Error if it failed for another reason than the missing protection */
function firstSign(output: string, otherwise: string): string {
  const violation = /(?:VIOLATION|LATE|NOT FINISHED:) (.+)/.exec(output)?.[1];
  const failed = /(?:FAIL|×) +(.+)/.exec(output)?.[1];
  const sign =
    violation?.startsWith('the program itself failed') === true ? undefined : (violation ?? failed);
  if (sign === undefined) throw new Error(otherwise);
  return sign.slice(0, 200);
}

function run(program: string, args: string[], cwd: string): Promise<{ code: number; output: string }> {
  const limits = { cwd, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
    execFile(program, args, { ...limits, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: stderr + stdout });
    });
  });
}
