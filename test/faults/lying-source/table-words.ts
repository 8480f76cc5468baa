/** The vocabulary of lies of a table. */

import type { SqlPlace } from './sql-place.ts';
import { always, but } from './lie.ts';
import type { RowLie } from './row-lie.ts';
import { isOld, type Story } from './story.ts';
import type { Fate, Row } from './model.ts';

export type TableLie = RowLie<SqlPlace> & { readonly only?: readonly SqlPlace['dialect'][] };

export type Tell = NonNullable<TableLie['tell']>;

export const lie = (
  name: string,
  fate: Fate | TableLie['fate'],
  tell: Tell,
  more: Partial<TableLie> = {},
): TableLie => ({ name, fate: typeof fate === 'function' ? fate : always(fate), tell, ...more });

export const runs =
  (sql: (story: Story) => string): Tell =>
  async (place, story) =>
    await place.exec(sql(story));
export const quoted = (text: string): string => `'${text}'`;

/** One record that a delta sees; the same in all parts of a lie. */
export const one = ({ recent, random }: Story): Row => random.pick(recent);
/** Two records that no delta sees. */
export const oldPair = ({ next, random }: Story): Row[] => random.shuffled(next.filter(isOld)).slice(0, 2);
export const lacking = (story: Story, gone: readonly Row[]): Row[] =>
  story.next.filter((row) => !gone.includes(row));
export const exceptDelta = (fate: Fate): TableLie['fate'] => but(fate, 'changes');
export const addressed =
  (change: (url: URL) => void): Tell =>
  (place) => {
    const url = new URL(place.settings['SOURCE_URL'] ?? '');
    change(url);
    place.settings['SOURCE_URL'] = url.href;
  };
