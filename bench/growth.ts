/** Measures what a kept job occupies in Postgres: bytes of the database, indexes included, averaged over many jobs. */
import { sql } from 'kysely';
import type { Figure } from './figure.ts';
import { type Rig, runAll, startRig } from './rig.ts';

export const group = 'growth';

const KEYS = 50;
const LOG_BYTES = 10_000;
/** A kind of job, and the bytes that it prints. */
const KINDS = [
  { kind: 'that says nothing', options: '--mute', printed: 0 },
  {
    kind: 'of 60 reports and 100 lines',
    options: `--progress 60 --lines ${LOG_BYTES / 100}`,
    printed: LOG_BYTES,
  },
];

export async function run(options: { once: boolean }): Promise<Figure[]> {
  const keys = (kind: number) => Array.from({ length: KEYS }, (_, key) => `kind-${kind}-${key}`);
  await using rig = await startRig({
    params: KINDS.flatMap((of, kind) =>
      keys(kind).map((target) => ({ target, action: 'sync', options: of.options })),
    ),
    durable: true,
  });
  await rig.startApi(); // the programs send their reports to this server
  await rig.startWorker();
  const figures: Figure[] = [];
  for (const [kind, { kind: name, printed }] of KINDS.entries()) {
    await runAll(rig, keys(kind)); // Postgres allocates new pages in advance
    const before = await databaseBytes(rig);
    const rounds = options.once ? 1 : 6;
    for (let round = 0; round < rounds; round++) await runAll(rig, keys(kind));
    const grown = (await databaseBytes(rig)) - before;
    figures.push({
      bench: `growth: Postgres for a job ${name} (raw: what it prints)`,
      unit: 'KiB',
      ours: [grown / (rounds * KEYS) / 1_024],
      raw: [printed / 1_024],
      bound: 'ours <= 20 KiB',
    });
  }
  return figures;
}

/** Vacuums first: space that updates left behind is reused. */
async function databaseBytes({ db }: Rig): Promise<number> {
  await sql`VACUUM`.execute(db);
  const { rows } = await sql<{ bytes: number }>`SELECT pg_database_size(current_database()) AS bytes`.execute(
    db,
  );
  return rows[0]?.bytes ?? Number.NaN;
}
