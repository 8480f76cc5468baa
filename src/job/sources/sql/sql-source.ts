/**
 * Source `sql`: the rows of a table or SELECT as records. One snapshot serves survey and reading. A listing is complete
 * if as many rows were read as the same snapshot counts: a listing that goes on in a new snapshot (readRows, or a later
 * attempt) has read all rows before in the order of their ids.
 */
import { PATIENCE_MS, type Patience, retryThroughOutage } from '../../http/outage.ts';
import { shownUrl } from '../../mask.ts';
import { createIntake, IDS, type Intake, type ListingKind, RECORDS } from '../intake.ts';
import { fingerprintOf } from '../fingerprint.ts';
import type { Cursor, Evidence, Source } from '../source.ts';
import { placeOf } from './columns.ts';
import type { Dialect, DialectOptions, Part } from './dialect.ts';
import { mysqlDialect } from './mysql.ts';
import { postgresDialect } from './postgres.ts';
import { latestDeletions, type RowLine, readRows, type Seen } from './read-rows.ts';
import { idLine, recordOrGone } from '../row-line.ts';
import type { Session } from './session.ts';
import { createSessions } from './sessions.ts';
import type { SqlSettings } from './sql-settings.ts';
import { sqliteDialect } from './sqlite.ts';
import { foundStatement } from './statements.ts';

/** Longest time of one statement; for Postgres, of one fetch from the cursor. */
const STATEMENT_MS = 30 * 60_000;

export type SqlSourceOptions = {
  readonly settings: SqlSettings;
  readonly stop: AbortSignal;
  readonly onWait?: Patience['onWait'];
  readonly patienceMs?: number;
  readonly statementMs?: number;
};

const DIALECTS: Readonly<Record<SqlSettings['dialect'], (options: DialectOptions) => Dialect>> = {
  postgres: postgresDialect,
  mysql: mysqlDialect,
  sqlite: sqliteDialect,
};

export function createSqlSource(options: SqlSourceOptions): Source {
  const { settings, stop, onWait = () => {}, patienceMs = PATIENCE_MS, statementMs = STATEMENT_MS } = options;
  const dialect = DIALECTS[settings.dialect]({ url: settings.url, statementMs });
  const place = placeOf(settings.from);
  const shownAs = `${shownUrl(settings.url)} ${place}`;
  const sessions = createSessions(settings, dialect, { shownAs, stop });
  const patience = { patienceMs, onWait, stop };
  /** The time of records whose rows do not tell when they changed. */
  const stamp = settings.updatedAt === null ? new Date().toISOString() : null;
  let evidence: Evidence = { complete: false, words: 'no listing has ended' };

  async function* listing<T, B>(
    kind: ListingKind<T, B>,
    lines: (session: Session, part: Part) => AsyncIterable<readonly RowLine[]>,
    { since, from, batchSize }: { since: Date | null; from: Cursor | null; batchSize: number },
  ): AsyncGenerator<B> {
    evidence = { complete: false, words: 'the listing has not ended' };
    const intake = createIntake(kind, { from, batchSize });
    try {
      const seen = yield* readRows(intake, { sessions, patience, since, place, lines });
      evidence = evidenceOf(intake, seen);
    } finally {
      await sessions.close();
    }
  }

  return {
    shownAs,
    lists: stamp === null ? 'changes' : 'everything',
    stamps: stamp !== null,
    mapping: mappingOf(settings),
    async survey(since) {
      return { total: await retryThroughOutage(patience, () => sessions.count({ since, after: null })) };
    },
    changedSince: (since, from, batchSize) =>
      listing(RECORDS, (session, part) => latestDeletions(recordLines(session, part, stamp)), {
        since,
        from,
        batchSize,
      }),
    ids: (batchSize) => listing(IDS, idLines, { since: null, from: null, batchSize }),
    evidence: () => Promise.resolve(evidence),
    async stillThere(ids) {
      // A new snapshot, since the question is what the source has now.
      await sessions.close();
      try {
        return await retryThroughOutage(patience, () => sessions.use((session) => idsThere(session, ids)));
      } finally {
        await sessions.close();
      }
    },
    clock: sessions.clock,
    close: sessions.close,
  };
}

/** Without the password, which may change between two attempts. */
function mappingOf({ url, from, id, updatedAt, deletedAt }: SqlSettings): string {
  // A load of version 0.2.0 lacks the deletions before its cursor.
  const told = deletedAt === null ? [] : ['with deletions'];
  return fingerprintOf([shownUrl(url), from, id, updatedAt, deletedAt, ...told]);
}

async function* recordLines(
  { snapshot, selection }: Session,
  part: Part,
  stamp: string | null,
): AsyncGenerator<RowLine[]> {
  for await (const rows of snapshot.rows(selection, part))
    yield rows.map((row) => [row.id, recordOrGone(row, stamp)]);
}

async function* idLines({ snapshot, selection }: Session, part: Part): AsyncGenerator<RowLine[]> {
  for await (const ids of snapshot.ids(selection, part)) yield ids.map((id) => [id, idLine(id)]);
}

async function idsThere({ snapshot, selection }: Session, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  return new Set(await snapshot.found(foundStatement(selection, ids, snapshot.grammar)));
}

function evidenceOf<B>(intake: Intake<B>, { rows, counted }: Seen): Evidence {
  const hole = intake.hole();
  if (hole !== null) return { complete: false, words: `the id of ${hole} cannot be read` };
  if (rows === counted)
    return { complete: true, words: `${rows} rows read, as many as the same snapshot counts` };
  return {
    complete: false,
    words: `${rows} rows read, though the table had ${counted}: it was written while it was read, and its engine has no snapshots`,
  };
}
