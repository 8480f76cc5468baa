/**
 * Measures how fast a whole sync into Solr is (emptying, loading, verifying, comparing, switching), beside plain
 * POSTs of the same documents in the same batches with one commit at the end. Both send one batch at a time to the
 * same real SolrCloud.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Solr, startSolr } from '../test/support/solr/solr.ts';
import type { Figure } from './figure.ts';

export const group = 'solr';

const RECORDS = 100_000;
const BATCH = 1_000;
const APP = 'bench';

export async function run({ once: single }: { once: boolean }): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'syncrator-bench-solr-'));
  const solr = await startSolr();
  try {
    for (const place of ['a', 'b', 'raw']) await solr.createCollection(`${APP}_${place}`);
    await solr.alias(APP, `${APP}_a`);
    await solr.alias(`${APP}-standby`, `${APP}_b`);
    const records = makeRecords();
    const file = path.join(directory, 'records.ndjson');
    writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const ours: number[] = [];
    const raw: number[] = [];
    const peaks: number[] = [];
    for (let round = 0; round < (single ? 1 : 3); round += 1) {
      raw.push(RECORDS / (await plainPosts(solr, records)));
      const { seconds, peakMiB } = await wholeSync(solr, file);
      ours.push(RECORDS / seconds);
      peaks.push(peakMiB);
    }
    return [
      { bench: 'whole sync into Solr', unit: 'records/s', ours, raw, bound: 'ours/raw >= 0.5' },
      { bench: 'its memory at most', unit: 'MiB', ours: peaks, raw: [0], bound: 'ours <= 512' },
    ];
  } finally {
    await solr.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeRecords(): Record<string, unknown>[] {
  return Array.from({ length: RECORDS }, (_, index) => ({
    id: `r${String(index).padStart(7, '0')}`,
    updated_at: '2025-01-01T00:00:00.000Z',
    name: `the title of number ${index}, of ${index % 97} words and ${index % 13} more of them`,
    subjects: [`subject ${index % 50}`, `subject ${index % 71}`],
    pages: index % 900,
    description_s: `a longer text about number ${index}. `.repeat(8),
  }));
}

/** Seconds. */
async function plainPosts(solr: Solr, records: readonly Record<string, unknown>[]): Promise<number> {
  await solr.call(`${APP}_raw/update?commit=true`, { delete: { query: '*:*' } });
  const documents = records.map(({ updated_at, ...rest }) => ({ ...rest, updated_at_dt: updated_at }));
  const began = performance.now();
  for (let start = 0; start < documents.length; start += BATCH)
    await solr.call(`${APP}_raw/update`, documents.slice(start, start + BATCH));
  await solr.call(`${APP}_raw/update`, { commit: {} });
  return (performance.now() - began) / 1000;
}

/** From the program's start to its end. */
async function wholeSync(solr: Solr, file: string): Promise<{ seconds: number; peakMiB: number }> {
  const args = ['sync', '-n', String(BATCH), '--switch_solr_alias', '--target_env', 'dev', '--target', APP];
  const settings = {
    SOURCE: 'ndjson',
    SOURCE_FILE: file,
    // Dates the finished file back; otherwise the source waits until it is 10 s old.
    SOURCE_FILE_COMPLETE: 'true',
    SINK: 'solr',
    SOLR_URL: solr.url,
  };
  const began = performance.now();
  const child = spawn(process.execPath, ['src/job/main.ts', ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let peakKiB = 0;
  // The kernel's own high-water mark; it disappears with the process.
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? peakKiB);
    } catch {
      clearInterval(look);
    }
  }, 50);
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`the sync ended with ${code}:\n${output}`);
  return { seconds: (performance.now() - began) / 1000, peakMiB: peakKiB / 1024 };
}
