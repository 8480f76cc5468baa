/** A real S3 server, which checks signatures: versitygw over a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { freePort } from '../../../src/embedded/ports.ts';
import { s3Program } from './s3-program.ts';

const START_MS = 30_000;

export type S3Server = AsyncDisposable & {
  readonly endpoint: string;
  readonly region: string;
  readonly access: { readonly id: string; readonly secret: string };
  readonly put: (bucket: string, key: string, body: string | Uint8Array) => Promise<void>;
  readonly remove: (bucket: string, key: string) => Promise<void>;
};

/** @throws Error if it does not answer in time */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const program = await s3Program((line) => console.error(line));
  const folder = mkdtempSync(path.join(tmpdir(), 'syncrator-s3-'));
  for (const bucket of buckets) mkdirSync(path.join(folder, bucket));
  const port = await freePort();
  const access = { id: 'AKIDTESTS3', secret: 'hush/s3+secret=1' };
  const region = 'eu-central-1';
  const child = spawn(
    program,
    ['--port', `127.0.0.1:${port}`, '--region', region, '--quiet', 'posix', folder],
    {
      env: { ROOT_ACCESS_KEY_ID: access.id, ROOT_SECRET_ACCESS_KEY: access.secret },
      stdio: 'ignore',
    },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  const send = async (
    method: string,
    bucket: string,
    key: string,
    body: string | Uint8Array,
  ): Promise<void> => {
    const url = `${endpoint}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
    const bytes = Buffer.from(body);
    const signer = new AwsV4Signer({
      url,
      method,
      body: bytes,
      accessKeyId: access.id,
      secretAccessKey: access.secret,
      service: 's3',
      region,
    });
    const { headers } = await signer.sign();
    const answer = await fetch(url, {
      method,
      headers,
      body: method === 'PUT' ? bytes : null,
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  await answers(endpoint).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    endpoint,
    region,
    access,
    put: (bucket, key, body) => send('PUT', bucket, key, body),
    remove: (bucket, key) => send('DELETE', bucket, key, ''),
    [Symbol.asyncDispose]: stop,
  };
}

async function answers(endpoint: string): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    try {
      await fetch(endpoint, { signal: AbortSignal.timeout(5_000) });
      return;
    } catch (error) {
      if (Date.now() > end) throw new Error(`versitygw does not answer at ${endpoint}`, { cause: error });
      await wait(50);
    }
  }
}
