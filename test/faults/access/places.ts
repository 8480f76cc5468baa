/** Collects everything that the system has written, place by place, as searchable text. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import type { Temporal } from '../../../src/temporal/connect.ts';
import { openEtcd } from '../audit/etcd.ts';
import type { Rig } from '../rig/rig.ts';

export async function everyPlace(rig: Rig, answers: readonly string[]): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const part of [...rig.apis, ...rig.workers]) places.set(`the log of ${part.name}`, part.output());
  places.set('the answers', answers.join('\n'));
  for (const [place, text] of await histories(rig.temporal)) places.set(place, text);
  for (const [place, text] of await tables(rig.db)) places.set(place, text);
  for (const [place, text] of await objects(rig)) places.set(place, text);
  for (const file of ['logs/postgres.log', 'logs/temporal.log'])
    places.set(file, readIf(path.join(rig.dir, file)));
  return places;
}

/** Every process of this machine: all users can read command lines. */
export function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readIf(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .join('\n');
}

function readIf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the process has ended meanwhile
  }
}

async function histories(temporal: Temporal): Promise<Map<string, string>> {
  const found: string[] = [];
  for await (const { workflowId, runId, memo, typedSearchAttributes } of temporal.client.workflow.list()) {
    const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
    found.push(JSON.stringify({ workflowId, memo, typedSearchAttributes }), ...textsOf(history));
  }
  return new Map([['Temporal histories', found.join('\n')]]);
}

/** Every string and every payload in a value. */
function* textsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (value instanceof Uint8Array) yield Buffer.from(value).toString();
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* textsOf(inner);
}

async function tables(db: Db): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  const { rows } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`.execute(db);
  for (const { name } of rows) {
    const lines = await sql<{ line: string }>`SELECT t::text AS line FROM ${sql.table(name)} t`.execute(db);
    places.set(`table ${name}`, lines.rows.map(({ line }) => line).join('\n'));
  }
  return places;
}

/** Every version of every object that ever existed, by kind. */
async function objects(rig: Rig): Promise<Map<string, string>> {
  const { writes } = await openEtcd(rig.cluster.etcdUrl).history(['/registry/']);
  const byKind = Map.groupBy(writes, ({ key }) => `Kubernetes ${key.split('/')[2]}`);
  return new Map(
    [...byKind].map(([kind, all]) => [
      kind,
      all.map(({ object }) => JSON.stringify(object) ?? '').join('\n'),
    ]),
  );
}
