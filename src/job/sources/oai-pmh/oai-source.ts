/**
 * Source `oai-pmh`: the records of a repository that speaks OAI-PMH 2.0. A repository lists in an order of its own and
 * may list a record twice, but a sink needs each id once, in byte order. So the whole list is harvested into a
 * temporary file first (harvest-store.ts); survey and reading share that harvest.
 */
import { PATIENCE_MS, type Patience, retryThroughOutage } from '../../http/outage.ts';
import { createIntake, IDS, type ListingKind, RECORDS } from '../intake.ts';
import type { Cursor, Evidence, Source } from '../source.ts';
import { createClockReader } from '../source-clock.ts';
import { harvest, type Harvest } from './harvest.ts';
import { createHarvestStore, type HarvestStore } from './harvest-store.ts';
import { identify, type Identity } from './identify.ts';
import { doubtOf, proofOf } from './list-evidence.ts';
import { createProvider } from './oai-request.ts';
import type { OaiSettings } from './oai-settings.ts';
import type { ListReading } from './read-list.ts';
import { recordsThere } from './records-there.ts';

export type OaiSourceOptions = {
  readonly settings: OaiSettings;
  readonly stop: AbortSignal;
  readonly onWait?: Patience['onWait'];
  readonly patienceMs?: number;
  readonly silenceMs?: number;
};

type Harvested = Harvest & { readonly key: string; readonly store: HarvestStore; readonly identity: Identity };

export function createOaiSource(options: OaiSourceOptions): Source {
  const { settings, stop, onWait = () => {}, patienceMs = PATIENCE_MS, silenceMs } = options;
  const clock = createClockReader();
  const provider = createProvider(settings.url, {
    clock,
    stop,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
  const shownAs = `${provider.shownAs} ${settings.prefix}${settings.set === null ? '' : ` of set ${settings.set}`}`;
  const patience = { patienceMs, onWait, stop };
  let identity: Identity | null = null;
  let current: Harvested | null = null;
  let tellsSet = false;
  let evidence: Evidence = { complete: false, words: 'no listing has ended' };

  async function close(): Promise<void> {
    current?.store.close();
    current = null;
  }

  /** The harvest of this list, unless survey has made it already. */
  async function harvested(verb: ListReading['verb'], since: Date | null): Promise<Harvested> {
    const key = JSON.stringify([verb, since]);
    if (current?.key === key) return current;
    await close();
    identity ??= await retryThroughOutage(patience, () => identify(provider));
    const store = createHarvestStore();
    try {
      const made = await harvest({ provider, patience, store, settings, identity, verb, since });
      current = { ...made, key, store, identity };
    } catch (error) {
      store.close();
      throw error;
    }
    ({ tellsSet } = current);
    return current;
  }

  async function* listing<T, B>(
    kind: ListingKind<T, B>,
    verb: ListReading['verb'],
    { since, from, batchSize }: { since: Date | null; from: Cursor | null; batchSize: number },
  ): AsyncGenerator<B> {
    evidence = { complete: false, words: 'the listing has not ended' };
    try {
      const made = await harvested(verb, since);
      const intake = createIntake(kind, { from, batchSize });
      for await (const group of made.store.lines(from?.after ?? null)) {
        for (const { id, line, page } of group) {
          const record = id === null ? 'a record without an identifier' : `the record ${JSON.stringify(id)}`;
          intake.take(line, () => `${record} on page ${page}`);
          const batch = intake.give('full');
          if (batch === null) continue;
          stop.throwIfAborted();
          yield batch;
        }
      }
      const rest = intake.give('rest');
      if (rest !== null) yield rest;
      evidence = evidenceOf(made, intake.hole());
    } finally {
      await close();
    }
  }

  return {
    shownAs,
    lists: 'changes',
    async survey(since) {
      const { store } = await harvested('ListRecords', since);
      return { total: store.counts().live };
    },
    changedSince: (since, from, batchSize) => listing(RECORDS, 'ListRecords', { since, from, batchSize }),
    ids: (batchSize) => listing(IDS, 'ListIdentifiers', { since: null, from: null, batchSize }),
    evidence: () => Promise.resolve(evidence),
    stillThere: (ids) => recordsThere(ids, { provider, patience, settings, tellsSet }),
    clock: clock.read,
    close,
  };
}

function evidenceOf({ lists, store, identity }: Harvested, hole: string | null): Evidence {
  const { live, deleted } = store.counts();
  const read = `${live} records and ${deleted} deleted ones read (deletedRecord: ${identity.deletedRecord})`;
  if (hole !== null) return { complete: false, words: `${read}, but the id of ${hole} cannot be read` };
  const [doubt] = lists.flatMap((list) => doubtOf(list) ?? []);
  if (doubt !== undefined) return { complete: false, words: `${read}, but ${doubt}` };
  return { complete: true, words: `${read}, ${proofOf(lists)}` };
}
