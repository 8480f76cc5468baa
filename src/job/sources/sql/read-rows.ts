/** Reads the rows of a part into batches. After a broken connection it goes on behind the last id, in a new snapshot. */
import { HttpFault } from '../../http/http-fault.ts';
import { createOutage, type Patience } from '../../http/outage.ts';
import { JobError } from '../../job-error.ts';
import type { Intake } from '../intake.ts';
import type { Line } from '../lines.ts';
import { laterOf, Tombstone } from '../tombstone.ts';
import type { Part } from './dialect.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** An id, and its row as a line of source `ndjson`. */
export type RowLine = readonly [id: string, line: Line | Tombstone];

/** Rows read from the last snapshot, and as many as it counts. */
export type Seen = { readonly rows: number; readonly counted: number };

export async function* readRows<B>(
  intake: Intake<B>,
  of: {
    sessions: Sessions;
    patience: Patience;
    since: Date | null;
    /** The table, for errors. */
    place: string;
    lines: (session: Session, part: Part) => AsyncIterable<readonly RowLine[]>;
  },
): AsyncGenerator<B, Seen> {
  const { sessions, patience, since, place, lines } = of;
  const outage = createOutage(patience);
  let id = intake.after();
  const where = (): string => `the row ${JSON.stringify(id)} of ${place}`;
  for (;;) {
    // Rows without a readable id come first in the order, so a new snapshot may list them again.
    intake.again();
    const part = { since, after: intake.after() };
    const before = intake.count();
    let rows = 0;
    try {
      const counted = await sessions.count(part);
      // The second of two rows with the last id does not come after it.
      const { after } = part;
      if (after !== null && (await sessions.use((session) => session.repeats(after))))
        throw repeated(where());
      for await (const group of sessions.read((session) => lines(session, part))) {
        for (const [next, line] of group) {
          rows += 1;
          // The record lives on in the row before.
          if (next === id && line instanceof Tombstone) continue;
          if (next === id && next !== '') throw repeated(where());
          id = next;
          intake.take(line, where);
          const batch = intake.give('full');
          if (batch === null) continue;
          patience.stop.throwIfAborted();
          yield batch;
        }
      }
      outage.over();
      const rest = intake.give('rest');
      if (rest !== null) yield rest;
      return { rows, counted };
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error;
      // New rows arrived, so this failure begins a new outage.
      if (intake.count() > before) outage.over();
      await outage.failed(error);
    }
  }
}

/** Makes one deletion of several deleted rows that have one id: the latest, since the record may have come back between them. */
export async function* latestDeletions(
  groups: AsyncIterable<readonly RowLine[]>,
): AsyncGenerator<readonly RowLine[]> {
  const pending: { gone: readonly [id: string, line: Tombstone] | null } = { gone: null };
  for await (const group of groups) {
    const rows: RowLine[] = [];
    for (const row of group) {
      const [id, line] = row;
      const same = pending.gone?.[0] === id ? pending.gone[1] : null;
      if (pending.gone && !(same && line instanceof Tombstone)) rows.push(pending.gone);
      pending.gone = null;
      if (line instanceof Tombstone)
        pending.gone = [id, new Tombstone(id, laterOf(same?.at ?? null, line.at))];
      else rows.push(row);
    }
    yield rows;
  }
  if (pending.gone) yield [pending.gone];
}

function repeated(where: string): JobError {
  return new JobError(
    'notConfigured',
    `${where}: two rows have this id; name columns in SOURCE_ID that are a unique key, or make them one with SOURCE_QUERY`,
  );
}
