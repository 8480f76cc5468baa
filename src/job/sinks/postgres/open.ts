/** Opens a sink: checks it before anything is read from the source, then takes the fence. */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import { adoptOldState } from './adopt.ts';
import { type ChangeSet, findAppliedRollback, openChangeSet } from './change-sets.ts';
import { findSink, makeSink, takeFence } from './fence.ts';
import { inspectLiveTable } from './live-table.ts';
import { NO_CHANGE_SET, preparePlans } from './kept-plan.ts';
import { refuseFilled, refuseMigration } from './migrate.ts';
import { type Connection, inStateTransaction, type Session } from './session.ts';
import { prepareStateSchema } from './state-schema.ts';

export type Opened = { readonly session: Session; readonly done: ChangeSet | null };

/** @returns the session, and the change set if an earlier attempt has already applied this step */
export async function openPostgres(
  connection: Connection,
  { takeOver }: { takeOver: boolean },
): Promise<Opened> {
  const { places, writer, options } = connection;
  await inStateTransaction(connection, async (client) => {
    await refuseStandby(client);
    await prepareStateSchema(client, places, options);
    if (writer.plans) await preparePlans(client, places);
  });
  const opened = await inStateTransaction(connection, async (client) => {
    const found = await inspectLiveTable(client, places, options.columns);
    const lines: string[] = [...found.warnings];
    if (!(await findSink(client, places, found))) {
      await makeSink(client, places, found);
      const made = await findSink(client, places, found);
      const line = made && (await adoptOldState(client, places, { table: found, sinkId: made.id }));
      if (line) lines.push(line);
    }
    const sink = await takeFence(client, places, { table: found, writer, takeOver });
    // The run that held the fence before may have changed the columns until now; from here on nobody does.
    const table = await inspectLiveTable(client, places, options.columns);
    await refuseFilled(client, places, table);
    // A plan could not show what a change of the columns does to the records.
    if ((writer.action !== 'sync' || writer.plans) && !takeOver) refuseMigration(places, table);
    // A plan changes nothing, so the history does not know of it.
    const set = writer.plans ? null : await openChangeSet(client, places, { sink, writer });
    const earlier =
      writer.action === 'rollback' && writer.originUid !== null
        ? await findAppliedRollback(client, places, { sink: sink.id, originUid: writer.originUid })
        : null;
    return { table, sinkId: sink.id, set, earlier, lines };
  });
  for (const line of opened.lines) connection.log(line);
  const { table, sinkId, set } = opened;
  const done = set?.state === 'applied' ? set : opened.earlier;
  return { session: { ...connection, table, sinkId, changeSet: set?.id ?? NO_CHANGE_SET }, done };
}

/** @throws JobError `sinkReadOnly` */
export async function refuseStandby(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ standby: boolean; read_only: boolean }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS read_only`,
  );
  const { standby, read_only: readOnly } = rows[0] ?? {};
  if (!standby && !readOnly) return;
  const why = standby ? 'it is a standby' : 'its transactions are read-only by default';
  throw new JobError(
    'sinkReadOnly',
    `sink: this Postgres accepts no writes: ${why}; point SINK_URL at the primary`,
  );
}
