/** Keeps the harvest of a run from survey to the end of a listing, so that both see the same list. */
import { type Patience, retryThroughOutage } from '../../http/outage.ts';
import { harvest, type Harvest } from './harvest.ts';
import { createEntryStore, type EntryStore } from '../entry-store.ts';
import { identify, type Identity } from './identify.ts';
import type { OaiSettings } from './oai-settings.ts';
import type { SourceServer } from '../source-server.ts';
import type { ListReading } from './read-list.ts';

export type Harvested = Harvest & { readonly store: EntryStore; readonly identity: Identity };

export type Harvests = {
  /** The harvest of this list, unless the last one is still open and the same. @throws JobError */
  readonly of: (verb: ListReading['verb'], since: Date | null) => Promise<Harvested>;
  /** Whether the headers of the last harvest told that they belong to OAI_SET. */
  readonly tellsSet: () => boolean;
  /** Drops the open harvest. */
  readonly close: () => void;
};

export function createHarvests(of: {
  provider: SourceServer;
  patience: Patience;
  settings: OaiSettings;
}): Harvests {
  const { provider, patience } = of;
  let identity: Identity | null = null;
  let current: (Harvested & { readonly key: string }) | null = null;
  let tellsSet = false;

  function close(): void {
    current?.store.close();
    current = null;
  }

  return {
    close,
    tellsSet: () => tellsSet,
    async of(verb, since) {
      const key = JSON.stringify([verb, since]);
      if (current?.key === key) return current;
      close();
      identity ??= await retryThroughOutage(patience, () => identify(provider));
      const store = createEntryStore();
      try {
        const made = await harvest({ ...of, store, identity, verb, since });
        ({ tellsSet } = made);
        return (current = { ...made, key, store, identity });
      } catch (error) {
        store.close();
        throw error;
      }
    },
  };
}
