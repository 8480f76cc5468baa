/** Harvests a whole list into a store. Tokens that expire begin the list again, later in smaller parts. */
import { HttpFault } from '../../http/http-fault.ts';
import type { Patience } from '../../http/outage.ts';
import { datestamp } from './granularity.ts';
import type { EntryStore } from '../entry-store.ts';
import type { Identity } from './identify.ts';
import type { ListEnd } from './list-evidence.ts';
import { type ListWindow, readAgain } from './list-window.ts';
import type { OaiSettings } from './oai-settings.ts';
import type { SourceServer } from '../source-server.ts';
import { type ListReading, readList } from './read-list.ts';

const TELL_MS = 5_000;

export type HarvestOptions = {
  readonly provider: SourceServer;
  readonly patience: Patience;
  readonly store: EntryStore;
  readonly settings: OaiSettings;
  readonly identity: Identity;
  readonly verb: ListReading['verb'];
  readonly since: Date | null;
};

export type Harvest = {
  /** One for each part. */
  readonly lists: readonly ListEnd[];
  /** Headers tell that they belong to OAI_SET. */
  readonly tellsSet: boolean;
};

/** @throws JobError */
export async function harvest(of: HarvestOptions): Promise<Harvest> {
  const { provider, patience, store, settings, identity, verb, since } = of;
  // A source may refuse a `from` before its first record.
  const from = since !== null && since > identity.earliest ? since : null;
  const windows: ListWindow[] = [{ from, until: null, expired: 0 }];
  const lists: ListEnd[] = [];
  const tell = teller(patience);
  let tellsSet = false;
  let pass = 0;
  for (let window = windows.shift(); window !== undefined; window = windows.shift()) {
    pass += 1;
    const list = await readList({
      provider,
      patience,
      store,
      verb,
      query: queryOf(window, of),
      pass,
      onPage: (fresh) => tell.page(fresh),
      onHeader: ({ sets }) => void (tellsSet ||= isWithin(settings.set, sets)),
    });
    if (list !== 'expired') {
      lists.push(list);
      continue;
    }
    store.forget(pass);
    const again = readAgain(window, { ...identity, now: new Date() });
    if (again === null) throw expired(provider.shownAs, window.expired + 1);
    windows.unshift(...again);
  }
  tell.over();
  return { lists, tellsSet };
}

/** Whether one of the sets is `set` or lies below it. */
export function isWithin(set: string | null, sets: readonly string[]): boolean {
  return set !== null && sets.some((spec) => spec === set || spec.startsWith(`${set}:`));
}

function queryOf(
  { from, until }: ListWindow,
  { settings, identity }: HarvestOptions,
): Record<string, string> {
  const { granularity } = identity;
  return {
    metadataPrefix: settings.prefix,
    ...(settings.set === null ? {} : { set: settings.set }),
    ...(from === null ? {} : { from: datestamp(from, granularity) }),
    ...(until === null ? {} : { until: datestamp(until, granularity) }),
  };
}

/** Says now and then how far the harvest is: the sink gets its first record only after the last page. */
function teller({ onWait }: Patience) {
  let entries = 0;
  let toldAt = performance.now();
  let hasTold = false;
  return {
    page(fresh: number): void {
      entries += fresh;
      if (performance.now() - toldAt < TELL_MS) return;
      toldAt = performance.now();
      hasTold = true;
      onWait(`the end of the source's list: ${entries} entries so far`);
    },
    over(): void {
      if (hasTold) onWait(null);
    },
  };
}

function expired(shownAs: string, times: number): Error {
  const words = `${shownAs}: the resumptionTokens of its list expired ${times} times before its end (badResumptionToken), even for the shortest span of time; ask the repository for a longer life of its tokens`;
  return new HttpFault('bad_answer', words).toJobError();
}
