/** Looks at a sink as a sync would find it. Makes what the first sync would make, to test the rights, and takes it back. */
import { escapeIdentifier, type PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { SinkLook } from '../sink.ts';
import { assumingInstallation } from '../writer.ts';
import { findSink, refuseOthers, type SinkRow } from './fence.ts';
import { countHeld } from './keep.ts';
import { createLiveTable, inspectLiveTable, type LiveTable } from './live-table.ts';
import { refuseFilled } from './migrate.ts';
import { refuseStandby } from './open.ts';
import { type Connection, inStateTransaction } from './session.ts';
import { prepareStateSchema } from './state-schema.ts';

/** @throws JobError as `openPostgres`, but never `fenced` */
export async function lookAtPostgres(connection: Connection): Promise<SinkLook> {
  return await inStateTransaction(connection, async (client) => {
    await client.query('SAVEPOINT before');
    const found = await tryFirstSync(client, connection);
    // Also gives back the locks: counting takes long, and must hold up no job's first sync.
    await client.query('ROLLBACK TO SAVEPOINT before');
    return await countIn(client, connection, found);
  });
}

type Found = { readonly table: LiveTable; readonly sink: SinkRow | null };

async function tryFirstSync(client: PoolClient, { places, options, writer }: Connection): Promise<Found> {
  await refuseStandby(client);
  await prepareStateSchema(client, places, options);
  const table = await inspectLiveTable(client, places, options.columns);
  await refuseFilled(client, places, table);
  const sink = await findSink(client, places, table);
  if (sink) refuseOthers(sink, places, { table, writer: assumingInstallation(writer, sink) });
  if (table.oid === null) {
    await refuseWithoutCreate(client, table);
    await createLiveTable(client, table);
  }
  return { table, sink };
}

async function countIn(
  client: PoolClient,
  { places }: Connection,
  { table, sink }: Found,
): Promise<SinkLook> {
  const synced = sink?.synced === true;
  const { warnings } = table;
  const words = table.migration?.words ?? [];
  const migration = words.length === 0 ? {} : { migration: words.join('; ') };
  if (table.oid === null) return { exists: false, live: 0, kept: 0, held: 0, synced, warnings };
  const { rows } = await client.query<{ live: number }>(
    `SELECT count(*)::float8 AS live FROM ${table.quoted}`,
  );
  const live = rows[0]?.live ?? 0;
  // Records from before the first sync are not ours to remove.
  const kept = synced ? await countKept(client, places.kept, sink, table) : live;
  const held = sink ? await countHeld(client, { places, sinkId: sink.id, table }) : 0;
  return { exists: true, live, kept, held, synced, warnings, ...migration };
}

async function refuseWithoutCreate(client: PoolClient, { name, quoted }: LiveTable): Promise<void> {
  const schema = escapeIdentifier(name.schema);
  const { rows } = await client.query<{ may: boolean; role: string }>(
    `SELECT has_schema_privilege($1, 'CREATE') AS may, current_user AS role`,
    [name.schema],
  );
  if (rows[0]?.may === true) return;
  const role = escapeIdentifier(rows[0]?.role ?? '');
  throw new JobError(
    'sinkPermission',
    `sink: the role may not create ${quoted}; run: GRANT CREATE ON SCHEMA ${schema} TO ${role}`,
  );
}

/** Only `--force-delete` removes these. */
async function countKept(
  client: PoolClient,
  kept: string,
  { id }: SinkRow,
  table: LiveTable,
): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM ${kept} k JOIN ${table.quoted} t ON t.id = k.id
     WHERE k.sink = $1 AND k.reason IN ('rolled_back', 'not_ours')`,
    [id],
  );
  return rows[0]?.count ?? 0;
}
