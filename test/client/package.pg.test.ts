/** The client as a program outside this repository uses it: its types, and its calls against the real api. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { login } from '../support/login.ts';
import { params, startSystem, type System } from '../support/system.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

const PROGRAM = `
import { createClient, Refused, Unreachable } from 'syncrator/client';

const client = createClient({ url: process.env.URL ?? '', token: async () => process.env.TOKEN });
const signal = AbortSignal.timeout(30_000);
const dry = await client.dryRun('sync', 'quick', 'dev');
const start = await client.start('sync', 'quick', 'dev', 'the-key');
if (start.result === 'queued') throw new Error(start.msg);
const { job_id: id } = start;
const again = await client.start('sync', 'quick', 'dev', 'the-key');
const seen: string[] = [];
for await (const job of client.liveJob(id, { signal })) if (seen.at(-1) !== job.status) seen.push(job.status);
let lines = '';
for await (const { text } of client.liveLog(id, { step: 0, attempt: 1 }, { signal })) lines += text;
const page = await client.listJobs({ target: 'quick', status: ['completed'], limit: 1 });
const refused = await client.showJob(999_999).catch((error: unknown) => error);
const nobody = createClient({ url: 'http://127.0.0.1:1', token: async () => undefined });
const unreachable = await nobody.listTargets().catch((error: unknown) => error);
console.log(JSON.stringify({
  options: dry.OPTIONS,
  same: again.result !== 'queued' && again.job_id === id,
  last: seen.at(-1),
  logged: lines.includes('at work for job ' + id),
  found: page.jobs.map((job) => job.id === id),
  refused: refused instanceof Refused && [refused.status, refused.code, refused.message],
  unreachable: unreachable instanceof Unreachable,
}));
`;

let system: System;
const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-client-'));

beforeAll(async () => {
  system = await startSystem({ params: [params('quick', 'sync', '--progress 3')] });
  await Promise.all([system.startApi(), system.startWorker()]);
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(ROOT, path.join(folder, 'node_modules/syncrator'));
  // Node's own types, for AbortSignal and process; and the compiler.
  for (const name of ['@types', 'undici-types', 'typescript'])
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(path.join(folder, 'program.ts'), PROGRAM);
  const options = { strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', target: 'es2024' };
  const compilerOptions = { ...options, types: ['node'], lib: ['es2024', 'esnext.disposable'] };
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['program.ts'] }),
  );
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    timeout: 60_000,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (text += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

const COMPILER = path.join(ROOT, 'node_modules/typescript/bin/tsc');

test('its types describe exactly the answers of the api', async () => {
  expect(await run([COMPILER])).toEqual({ code: 0, text: '' });
  writeFileSync(path.join(folder, 'program.ts'), PROGRAM.replace('dry.OPTIONS', 'dry.OPTONS'));
  const wrong = await run([COMPILER]);
  writeFileSync(path.join(folder, 'program.ts'), PROGRAM);
  expect(wrong.text).toContain("Property 'OPTONS' does not exist");
});

test('a program starts a job once, follows it to its end, and can distinguish faults', async () => {
  const token = await login(system.apiUrl);
  const { code, text } = await run(['program.ts'], { URL: system.apiUrl, TOKEN: token });
  expect(code, text).toBe(0);
  expect(JSON.parse(text)).toEqual({
    options: '--progress 3 --api_job_id dryrun',
    same: true,
    last: 'completed',
    logged: true,
    found: [true],
    refused: [404, 'unknown_job', 'there is no job 999999'],
    unreachable: true,
  });
});
