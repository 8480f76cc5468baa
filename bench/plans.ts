/**
 * Measures a plan, its apply, a rollback and the story of a record beside the sync that makes the same changes: one in
 * twenty records, of which some are added, some removed and most changed. The program runs whole, with reports and the
 * pages of the plan.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { withPostgres } from './cities-load.ts';
import type { Figure } from './figure.ts';
import { storyFigures } from './story.ts';
import { timedProgram, type Timed } from './timed-program.ts';

export const group = 'plans';

const ROUNDS = 3;
const LINE_BYTES = 300;
const ONE_IN = 20;
const TABLE = 'plans_bench';
/** Each of the measured jobs changes it. */
const CHANGED = idOf(ONE_IN);

/** A tenth, in one round, with `--once`. */
export async function run({ once: short }: { once: boolean }): Promise<Figure[]> {
  const count = short ? 100_000 : 1_000_000;
  return await withPostgres(async (postgres, directory) => {
    await using api = await startApi();
    const first = join(directory, 'first.ndjson');
    const second = join(directory, 'second.ndjson');
    await pipeline(Readable.from(lines(count, false)), createWriteStream(first));
    await pipeline(Readable.from(lines(count, true)), createWriteStream(second));
    let job = 0;
    const act = async (argv: readonly string[], file: string): Promise<Timed> => {
      job += 1;
      return await timedProgram(['src/job/main.ts', ...argv, '--api_job_id', String(job)], {
        SYNCRATOR_JOB_UID: uidOf(job),
        SYNCRATOR_REPORT_URL: `${api.url}/report`,
        SOURCE: 'ndjson',
        SOURCE_FILE: file,
        SOURCE_FILE_COMPLETE: 'true',
        SINK: 'postgres',
        SINK_URL: postgres.url('postgres'),
        SINK_TABLE: TABLE,
      });
    };
    await act(['sync'], first);
    const took = {
      plan: [] as Timed[],
      apply: [] as Timed[],
      rollback: [] as Timed[],
      story: [] as Timed[],
      sync: [] as Timed[],
    };
    for (let round = 0; round < (short ? 1 : ROUNDS); round += 1) {
      took.plan.push(await act(['plan', '--of', 'sync', '--force-delete'], second));
      took.apply.push(await act(['apply', '--plan', uidOf(job), '--digest', api.digest()], second));
      took.rollback.push(await act(['rollback'], second));
      took.sync.push(await act(['sync', '--force-delete'], second));
      took.story.push(await act(['story', '--id', CHANGED], second));
      await act(['rollback'], second);
    }
    const changes = `${(count / ONE_IN).toLocaleString('en')} changes in ${count.toLocaleString('en')}`;
    const place = { database: postgres.url('postgres'), table: TABLE, id: CHANGED };
    return [...figuresOf(took, changes), ...(await storyFigures(place, changes))];
  });
}

type Took = Readonly<Record<'plan' | 'apply' | 'rollback' | 'story' | 'sync', readonly Timed[]>>;

function figuresOf(took: Took, changes: string): Figure[] {
  const seconds = (runs: readonly Timed[]): number[] => runs.map((run) => run.seconds);
  const beside = (bench: string, runs: readonly Timed[], most: number): Figure => ({
    bench,
    unit: 's',
    ours: seconds(runs),
    raw: seconds(took.sync),
    bound: `ours/raw <= ${most}`,
  });
  return [
    beside(`plan of ${changes}, beside the sync`, took.plan, 1.3),
    beside(`apply of ${changes}, beside the sync`, took.apply, 1.3),
    beside(`rollback of ${changes}, beside the sync`, took.rollback, 1.3),
    beside(`job of a story after ${changes}, beside the sync`, took.story, 0.5),
    {
      bench: `memory of the plan, beside the sync`,
      unit: 'MB',
      ours: took.plan.map(({ megabytes }) => megabytes),
      raw: took.sync.map(({ megabytes }) => megabytes),
      bound: 'ours < 300 MB',
    },
  ];
}

function idOf(nth: number): string {
  return `r${String(nth).padStart(9, '0')}`;
}

function uidOf(job: number): string {
  return `00000000-0000-4000-8000-${String(job).padStart(12, '0')}`;
}

/** @param changed of each {@link ONE_IN} records one is changed; a fifth of those is another record instead */
function* lines(count: number, changed: boolean): Generator<string> {
  for (let nth = 0; nth < count; nth += 1) {
    const isOther = changed && nth % ONE_IN === 0;
    const id = `${idOf(nth)}${isOther && nth % (5 * ONE_IN) === 0 ? '-new' : ''}`;
    const record = { id, updated_at: '2025-01-01T12:34:56Z', nth, changed: isOther };
    const head = JSON.stringify(record).slice(0, -1);
    yield `${head},"text":"${'x'.repeat(Math.max(1, LINE_BYTES - head.length - 12))}"}\n`;
  }
  yield `{"end":true,"total":${count}}\n`;
}

type Api = AsyncDisposable & { readonly url: string; digest(): string };

/** Takes every report and page, and keeps the digest of the last plan. */
async function startApi(): Promise<Api> {
  let digest = '';
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url === '/plan') digest = /"digest":"([0-9a-f]{64})"/.exec(body)?.[1] ?? digest;
      response.writeHead(request.method === 'PUT' ? 204 : 200).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest: () => digest,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
