/** Reads the counts of earlier runs from the history, for the baseline. */
import type { RunFigures } from '../../../domain/baseline.ts';
import { inStateTransaction, type Session } from './session.ts';

/** Enough for two weeks of an hourly sync. */
const MOST_RUNS = 400;

/** Runs of the same action that are kept (KEEP_CHANGES): no first load, and none that a rollback has undone. */
export async function readEarlierRuns(session: Session): Promise<readonly RunFigures[]> {
  const { places, sinkId, changeSet, writer } = session;
  return await inStateTransaction(session, async (client) => {
    const { rows } = await client.query<RunFigures>(
      `SELECT applied_at AS at, (counts->>'live')::float8 AS live, (counts->>'added')::float8 AS added,
         (counts->>'updated')::float8 AS updated, (counts->>'removed')::float8 AS removed,
         (counts->>'listed')::float8 AS listed, (counts->>'bytes')::float8 AS bytes,
         (counts->>'seconds')::float8 AS seconds
       FROM ${places.changeSets} s
       WHERE sink = $1 AND action = $2 AND id <> $3 AND state = 'applied' AND begins_history IS NULL
         AND NOT EXISTS (SELECT FROM ${places.changeSets} r
           WHERE r.sink = $1 AND r.state = 'applied' AND r.back_to <= s.id AND r.id > s.id)
       ORDER BY id DESC LIMIT ${MOST_RUNS}`,
      [sinkId, writer.action, changeSet],
    );
    return rows;
  });
}
