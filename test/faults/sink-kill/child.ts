/** The real program as a process that can be killed, between a source over HTTP and the sink. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { EXIT } from '../../../src/domain/exit-code.ts';
import type { SourceRecord } from '../../../src/job/sources/source.ts';
import { type Attempt, type AttemptEnd, uidOf } from '../../job/support/attempt.ts';
import { type FakeSource, startFakeSource } from '../../job/support/fake-source.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const LIMIT_MS = 120_000;
/** A watermark that advances too far must be noticed at once. */
const MARGIN = '0s';

export type Child = { readonly ended: Promise<AttemptEnd>; kill(): void };

export type HttpSource = AsyncDisposable & {
  put(records: readonly SourceRecord[]): void;
  readonly url: string;
};

export async function startHttpSource(): Promise<HttpSource> {
  const source: FakeSource = await startFakeSource();
  return {
    url: source.url,
    put(records) {
      source.rows.clear();
      source.put(...records.map(({ id, updated_at, record }) => ({ id, updated_at, ...record })));
    },
    [Symbol.asyncDispose]: () => source.close(),
  };
}

export type ProgramSink = {
  readonly environment: Readonly<Record<string, string>>;
  readonly options: readonly string[];
};

/** @param sink a Postgres by default */
export function startChild(of: Attempt, source: HttpSource, sink: ProgramSink = postgres(of)): Child {
  const options = [of.action, '-n', String(of.batchSize ?? 1_000), '--api_job_id', String(of.job)];
  options.push(...sink.options);
  if (typeof of.before === 'number') options.push('--before', uidOf(of.before));
  const env = {
    PATH: process.env['PATH'],
    SYNCRATOR_ENV: 'dev',
    SYNCRATOR_TARGET: 'cities',
    SYNCRATOR_JOB_UID: uidOf(of.job),
    SYNCRATOR_ORIGIN_UID: uidOf(of.origin ?? of.job),
    SYNCRATOR_ATTEMPT: String(of.attempt ?? 1),
    SYNCRATOR_CHECKPOINT: of.checkpoint ? JSON.stringify(of.checkpoint) : '',
    WATERMARK_MARGIN: MARGIN,
    SOURCE: 'ndjson',
    SOURCE_URL: source.url,
    ...sink.environment,
  };
  const child = spawn(process.execPath, [path.join(ROOT, 'src/job/main.ts'), ...options], {
    env,
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(([code]): AttemptEnd => {
    const name = Object.entries(EXIT).find(([, value]) => value === code)?.[0] ?? 'terminated';
    return { code: name as AttemptEnd['code'], message: output.slice(-300), checkpoint: null };
  });
  return { ended, kill: () => void child.kill('SIGKILL') };
}

function postgres({ url }: Attempt): ProgramSink {
  return { environment: { SINK: 'postgres', SINK_URL: url, SINK_TABLE: 'cities' }, options: [] };
}
