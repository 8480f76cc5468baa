/** The whole product as `npm start` runs it, and calls of its api as a user makes them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, vi } from 'vitest';
import type { JobJson } from '../../src/api/jobs/job-schema.ts';
import { compileCache } from './compile-cache.ts';

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };

export type Product = {
  readonly url: string;
  readonly password: string;
  call(method: string, route: string): Promise<Answer>;
  job(id: number): Promise<JobJson>;
  /** Waits until the job is final, and passes each reading to `onLook`. */
  untilFinal(id: number, onLook?: (job: JobJson) => void): Promise<JobJson>;
  /** Starts a job and waits: the final job. */
  run(route: string): Promise<JobJson>;
  /** Sends SIGINT, like Ctrl-C; resolves when everything has ended. */
  stop(): Promise<void>;
};

export async function startProduct(dataDir: string, environment: Record<string, string>): Promise<Product> {
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../../src/dev.ts')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      ...compileCache(),
      PORT: '0',
      SYNCRATOR_DATA: dataDir,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const found = (pattern: RegExp) => pattern.exec(output)?.[1] ?? '';
  await Promise.race([
    vi.waitFor(() => expect(output).toContain('Ctrl-C stops everything'), { timeout: 100_000 }),
    exited.then(() => Promise.reject(new Error(`npm start ended:\n${output}`))),
  ]);
  const url = found(/^ready (http:\S+)$/m);
  const password = found(/PASSWORD='([^']+)'/);
  let token = '';
  const call = async (method: string, route: string): Promise<Answer> => {
    const answer = await fetch(url + route, {
      method,
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(15_000),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const job = async (id: number) => (await call('GET', `/jobs/${id}`)).body as unknown as JobJson;
  const untilFinal = async (id: number, onLook?: (seen: JobJson) => void) => {
    const look = async () => {
      const seen = await job(id);
      onLook?.(seen);
      return seen.status;
    };
    await expect.poll(look, { timeout: 60_000, interval: 100 }).toMatch(/^(completed|failed|deleted)$/);
    return await job(id);
  };
  const login = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password }),
  });
  token = ((await login.json()) as { access_token: string }).access_token;
  return {
    url,
    password,
    call,
    job,
    untilFinal,
    async run(route) {
      const started = await call('POST', route);
      if (started.status !== 202)
        throw new Error(`${route}: ${started.status} ${JSON.stringify(started.body)}`);
      return await untilFinal(Number(started.body['job_id']));
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
  };
}
