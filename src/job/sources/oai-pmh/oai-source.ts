/**
 * Source `oai-pmh`: the records of a repository that speaks OAI-PMH 2.0. A repository lists in an order of its own and
 * may list a record twice, but a sink needs each id once, in byte order. So the whole list is harvested into a
 * temporary file first (entry-store.ts); survey and reading share that harvest.
 */
import { PATIENCE_MS, type Patience } from '../../http/outage.ts';
import { batchesOf, createIntake, IDS, type ListingKind, RECORDS } from '../intake.ts';
import type { StoredEntry } from '../entry-store.ts';
import { fingerprintOf } from '../fingerprint.ts';
import type { Cursor, Evidence, Source } from '../source.ts';
import { createClockReader } from '../source-clock.ts';
import { sourceServer } from '../source-server.ts';
import { createHarvests, type Harvested } from './harvests.ts';
import { doubtOf, proofOf } from './list-evidence.ts';
import type { OaiSettings } from './oai-settings.ts';
import type { ListReading } from './read-list.ts';
import { recordsThere } from './records-there.ts';
import { timeOf } from './granularity.ts';
import { Tombstone } from '../tombstone.ts';

export type OaiSourceOptions = {
  readonly settings: OaiSettings;
  readonly stop: AbortSignal;
  readonly onWait?: Patience['onWait'];
  readonly patienceMs?: number;
  readonly silenceMs?: number;
};

export function createOaiSource(options: OaiSourceOptions): Source {
  const { settings, stop, onWait = () => {}, patienceMs = PATIENCE_MS, silenceMs } = options;
  const clock = createClockReader();
  const provider = sourceServer(settings.url, 'text/xml, application/xml', {
    clock,
    stop,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
  const shownAs = `${provider.shownAs} ${settings.prefix}${settings.set === null ? '' : ` of set ${settings.set}`}`;
  const patience = { patienceMs, onWait, stop };
  const harvests = createHarvests({ provider, patience, settings });
  let evidence: Evidence = { complete: false, words: 'no listing has ended' };

  async function* listing<T, B>(
    kind: ListingKind<T, B>,
    verb: ListReading['verb'],
    { since, from, batchSize }: { since: Date | null; from: Cursor | null; batchSize: number },
  ): AsyncGenerator<B> {
    evidence = { complete: false, words: 'the listing has not ended' };
    try {
      const made = await harvests.of(verb, since);
      const intake = createIntake(kind, { from, batchSize });
      const after = from?.after ?? null;
      const entries = tellsGone(made, since) ? made.store.linesAndGone(after) : made.store.lines(after);
      yield* batchesOf<StoredEntry, B>(intake, entries, {
        lineOf: ({ line }) => (line instanceof Tombstone ? new Tombstone(line.id, timeOf(line.at)) : line),
        where: ({ id, place }) =>
          `${id === null ? 'a record without an identifier' : `the record ${JSON.stringify(id)}`} on page ${place}`,
        stop,
      });
      evidence = evidenceOf(made, intake.hole(), settings);
    } finally {
      harvests.close();
    }
  }

  return {
    shownAs,
    lists: 'changes',
    // A load of version 0.2.0 lacks the deletions before its cursor.
    mapping: fingerprintOf([shownAs, 'with deletions']),
    async survey(since) {
      const made = await harvests.of('ListRecords', since);
      const { live, deleted } = made.store.counts();
      return { total: live + (tellsGone(made, since) ? deleted : 0) };
    },
    changedSince: (since, from, batchSize) => listing(RECORDS, 'ListRecords', { since, from, batchSize }),
    ids: (batchSize) => listing(IDS, 'ListIdentifiers', { since: null, from: null, batchSize }),
    evidence: () => Promise.resolve(evidence),
    stillThere: (ids) => recordsThere(ids, { provider, patience, settings, tellsSet: harvests.tellsSet() }),
    clock: clock.read,
    close: async () => harvests.close(),
  };
}

/** A repository that keeps no deletions (deletedRecord: no) means nothing by such a header. */
function tellsGone({ identity }: Pick<Harvested, 'identity'>, since: Date | null): boolean {
  return since !== null && identity.deletedRecord !== 'no';
}

function evidenceOf(
  { lists, store, identity }: Harvested,
  hole: string | null,
  { unmarkedEnds }: OaiSettings,
): Evidence {
  const { live, deleted } = store.counts();
  const read = `${live} records and ${deleted} deleted ones read (deletedRecord: ${identity.deletedRecord})`;
  if (hole !== null) return { complete: false, words: `${read}, but the id of ${hole} cannot be read` };
  const [doubt] = lists.flatMap((list) => doubtOf(list, unmarkedEnds) ?? []);
  if (doubt !== undefined) return { complete: false, words: `${read}, but ${doubt}` };
  return { complete: true, words: `${read}, ${proofOf(lists)}` };
}
