/**
 * Source `connector`: a stream of a program that speaks the Airbyte protocol, or of a Singer tap. A listing reads the whole
 * stream; that of a delta goes on behind the last one by the connector's STATE, if the stream can.
 */
import type { Patience } from '../../http/outage.ts';
import { IncompleteListingError } from '../../job-error.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { batchesOf, createIntake, IDS, type ListingKind, RECORDS } from '../intake.ts';
import { type Line, UnreadableLine } from '../lines.ts';
import { idLine } from '../row-line.ts';
import type { StoredEntry } from '../entry-store.ts';
import type { Cursor, Evidence, Source } from '../source.ts';
import { Tombstone } from '../tombstone.ts';
import type { ConnectorSettings } from './connector-settings.ts';
import type { From } from './dialect.ts';
import { createGoingOn } from './going-on.ts';
import { openDialect } from './open-dialect.ts';
import { createReadings, type Readings } from './readings.ts';
import type { Spooled } from './spool.ts';

export type ConnectorSourceOptions = {
  readonly settings: ConnectorSettings;
  readonly stop: AbortSignal;
  readonly onWait?: Patience['onWait'];
  /** Writes what the connector says about its work. */
  readonly writeLog?: (line: string) => void;
};

export function createConnectorSource(options: ConnectorSourceOptions): Source {
  const { settings, stop, onWait = () => {}, writeLog = () => {} } = options;
  const { updatedAt, stream, protocol, command, manifest, config, id } = settings;
  const { dialect, program } = openDialect(settings, { stop, writeLog });
  /** The time of records that do not tell when they changed. */
  const stamp = updatedAt === null ? new Date().toISOString() : null;
  const readings = createReadings({ dialect, settings, stamp, onWait, log: program.log });
  const made = manifest === null ? '' : ` ${manifest.slice(manifest.lastIndexOf('/') + 1)}`;
  let evidence: Evidence = { complete: false, words: 'no listing has ended' };
  let remarks: readonly string[] = [];
  const mapping = fingerprintOf([protocol, command, manifest, config, stream, id, updatedAt]);
  const going = createGoingOn({ mapping, onBegin: readings.close, writeLog });

  async function* listing<T, B>(
    kind: ListingKind<T, B>,
    lineOf: (entry: StoredEntry) => Line | Tombstone,
    { cursor, batchSize, changes }: { cursor: Cursor | null; batchSize: number; changes: From | null },
  ): AsyncGenerator<B> {
    going.begin();
    evidence = { complete: false, words: 'the listing has not ended' };
    try {
      const spooled = await readings.current(changes);
      const intake = createIntake(kind, { from: cursor, batchSize });
      const after = cursor?.after ?? null;
      const entries = tellsGone(spooled) ? spooled.store.linesAndGone(after) : spooled.store.lines(after);
      yield* batchesOf<StoredEntry, B>(intake, entries, {
        lineOf,
        where: ({ place }) => `record ${place} of ${stream}`,
        stop,
      });
      evidence = evidenceOf(spooled, intake.hole());
      remarks = remarksOf(spooled);
      const unproven = unprovenDeletions(spooled);
      if (unproven !== null) writeLog(unproven);
      going.end(spooled);
    } finally {
      readings.close();
    }
  }

  return {
    shownAs: `${program.name}${made} ${stream}`,
    lists: 'everything',
    rereads: true,
    stamps: stamp !== null,
    mapping,
    async survey() {
      const spooled = await readings.current(going.from());
      const { live, deleted } = spooled.store.counts();
      return { total: live + (tellsGone(spooled) ? deleted : 0) };
    },
    changedSince: (_since, cursor, batchSize) =>
      listing(RECORDS, lineOfChange, { cursor, batchSize, changes: going.from() }),
    ids: (batchSize) => listing(IDS, lineOfId, { cursor: null, batchSize, changes: null }),
    state: going.state,
    evidence: () => Promise.resolve(evidence),
    remarks: () => remarks,
    stillThere: (ids) => (ids.length === 0 ? Promise.resolve(new Set()) : foundAgain(ids, readings)),
    clock: () => ({ earliest: null, skewMs: 0 }),
    close: async () => readings.close(),
  };
}

/** The second reading, which a removal needs, would be as unproven as this one, and fail the job each time. */
function tellsGone({ from, doubt }: Spooled): boolean {
  return from !== null && doubt === null;
}

function unprovenDeletions({ from, doubt, store }: Spooled): string | null {
  const { deleted } = store.counts();
  if (from === null || doubt === null || deleted === 0) return null;
  return `${deleted} records that are marked as deleted stay, since the reading is not proven complete: ${doubt}`;
}

/** The protocols know no question about one id. A second reading finds what the first one lacked by mistake. */
async function foundAgain(ids: readonly string[], readings: Readings): Promise<Set<string>> {
  readings.close();
  try {
    const { store, doubt } = await readings.current(null);
    const why = doubt ?? (store.hasNameless() ? 'it has a record whose id cannot be read' : null);
    if (why !== null) throw new IncompleteListingError(`the second reading of the stream: ${why}`);
    return new Set(ids.filter((one) => store.has(one)));
  } finally {
    readings.close();
  }
}

/** Later than any record's: of the changes of a record the store keeps the last one, and nobody's clock knows better. */
const AFTER_ALL = '9999-12-31T23:59:59Z';

function lineOfChange({ line }: StoredEntry): Line | Tombstone {
  return line instanceof Tombstone ? new Tombstone(line.id, AFTER_ALL) : line;
}

function lineOfId({ id, line }: StoredEntry): Line {
  if (id === null) return line instanceof UnreadableLine ? line : idLine('');
  return idLine(id);
}

function evidenceOf({ count, doubt }: Spooled, hole: string | null): Evidence {
  const read = `${count} records read`;
  if (hole !== null) return { complete: false, words: `${read}, but the id of ${hole} cannot be read` };
  if (doubt !== null) return { complete: false, words: `${read}, but ${doubt}` };
  return { complete: true, words: `${read}, up to the end that the connector tells` };
}

function remarksOf({ repeated, altered, count }: Spooled): string[] {
  const fix = 'if they are different records, name more fields in SOURCE_ID';
  return [
    ...(repeated === 0
      ? []
      : [`${repeated} of ${count} records have the id of an earlier one, which they replace; ${fix}`]),
    ...(altered === 0
      ? []
      : [
          `the connector has left out or cut values of ${altered} of ${count} records, as it says itself (meta.changes)`,
        ]),
  ];
}
