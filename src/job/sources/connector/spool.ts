/** Reads a whole stream into the store of entries, which puts it in byte order: connectors list in an order of their own. */
import type { Patience } from '../../http/outage.ts';
import { JobError } from '../../job-error.ts';
import { createEntryStore, type EntryStore } from '../entry-store.ts';
import type { Fields } from '../json-object.ts';
import { UnreadableLine } from '../lines.ts';
import type { ConnectorSettings } from './connector-settings.ts';
import { type Dialect, type From, fullName, type Stream } from './dialect.ts';
import { type Choice, entryOf, isDeleted } from './record-entry.ts';

const TELL_MS = 5_000;
const MOST_NAMED = 40;

export type Spooled = {
  readonly store: EntryStore;
  /** Records that came, those of an id that came again included. */
  readonly count: number;
  /** Records whose id had come before. */
  readonly repeated: number;
  /** Records of which the connector says that it has left out or cut values. */
  readonly altered: number;
  /** Why the stream is not proven complete; null: it is. */
  readonly doubt: string | null;
  /** The place from which these changes were read; null: this is everything. */
  readonly from: From | null;
  /** The last STATE of changes; null: none. */
  readonly state: unknown;
};

/** @throws JobError, IncompleteListingError */
export async function spool(of: {
  dialect: Dialect;
  stream: Stream;
  choice: Choice;
  settings: ConnectorSettings;
  onWait: Patience['onWait'];
  from: From | null;
}): Promise<Spooled> {
  const { dialect, stream, choice, settings, onWait, from } = of;
  const store = createEntryStore();
  const tell = createTeller(onWait);
  let [count, repeated, altered, named, timed] = [0, 0, 0, 0, 0];
  let first: Fields | null = null;
  try {
    const together = async (work: () => void): Promise<void> => {
      await store.together(() => {
        work();
        return Promise.resolve(true);
      });
      tell.at(count);
    };
    const end = await dialect.read(
      stream,
      {
        record(data) {
          first ??= data;
          count += 1;
          const entry = entryOf(data, choice, count);
          if (entry.id !== '') named += 1;
          if (choice.updatedAt !== null && Object.hasOwn(data, choice.updatedAt)) timed += 1;
          // A list of changes tells deletions, too. The repetition of an id is its next change.
          const gone = from !== null && isDeleted(data);
          if (!store.put(gone ? { ...entry, line: null } : entry, 1) && from === null) repeated += 1;
        },
        altered: () => void (altered += 1),
        unreadable(why) {
          count += 1;
          store.put({ id: '', stamp: '', line: new UnreadableLine(why), place: count }, 1);
        },
      },
      { from, together },
    );
    tell.over();
    if (first !== null) refuseWrongNames({ first, named, timed }, { stream, settings, choice });
    return { store, count, repeated, altered, from, ...end };
  } catch (error) {
    store.close();
    throw error;
  }
}

function refuseWrongNames(
  { first, named, timed }: { first: Fields; named: number; timed: number },
  { stream, settings, choice }: { stream: Stream; settings: ConnectorSettings; choice: Choice },
): void {
  const names = Object.keys(first);
  const listed = `${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ', …' : ''}`;
  const none = `no record of ${fullName(stream)} has`;
  if (named === 0) {
    const key = choice.key.map((path) => path.join('.')).join(' and ');
    const whose = settings.id === null ? 'the primary key that the connector tells' : 'which SOURCE_ID names';
    throw new JobError(
      'notConfigured',
      `${none} a value in ${key}, ${whose}; set SOURCE_ID to some of its fields: ${listed}`,
    );
  }
  if (choice.updatedAt !== null && timed === 0)
    throw new JobError(
      'notConfigured',
      `${none} the field ${choice.updatedAt}, which SOURCE_UPDATED_AT names; it has ${listed}`,
    );
}

/** Says now and then how far the reading is: the sink gets its first record only after the end of the stream. */
function createTeller(onWait: Patience['onWait']) {
  let toldAt = performance.now();
  let hasTold = false;
  return {
    at(count: number): void {
      if (performance.now() - toldAt < TELL_MS) return;
      toldAt = performance.now();
      hasTold = true;
      onWait(`the end of the stream: ${count} records so far`);
    },
    over(): void {
      if (hasTold) onWait(null);
    },
  };
}
