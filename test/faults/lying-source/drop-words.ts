/** The vocabulary of lies of delivered files: which of them they change, and how. */

import type { Drop, Dropped, DropPlace } from './drop-place.ts';
import { always, but, UNPROVEN } from './lie.ts';
import type { RowLie } from './row-lie.ts';
import { isOld, type Story } from './story.ts';
import type { Fate, Row } from './model.ts';

export type DropLie = RowLie<DropPlace> & { readonly of: readonly Drop[] };

export type Change = (file: Dropped, story: Story) => void;

export const lie = (
  name: string,
  of: readonly Drop[],
  fate: Fate | DropLie['fate'],
  change: Change | null,
  more: Partial<DropLie> = {},
): DropLie => ({
  name,
  of,
  fate: typeof fate === 'function' ? fate : always(fate),
  ...(change ? { tell: ({ files }, story) => files.slice(-1).forEach((file) => change(file, story)) } : {}),
  ...more,
});

export const CSV: readonly Drop[] = ['csv', 'pattern', 'web'];
export const DISK: readonly Drop[] = ['csv', 'ndjson', 'json', 'parquet', 'csv.gz', 'pattern'];
export const unproven = but(UNPROVEN, 'changes');
export const bytes =
  (change: (bytes: Buffer, story: Story) => Buffer | string): Change =>
  (file, story) =>
    void (file.bytes = Buffer.from(change(file.bytes, story) as string));
export const text = (change: (text: string, story: Story) => string): Change =>
  bytes((old, story) => change(old.toString(), story));
export const part = (of: Buffer, share: number): Buffer => of.subarray(0, Math.floor(of.length * share));
export const noTotal: Change = (file) => void (file.total = null);
export const total =
  (of: (count: number) => string): Change =>
  (file) =>
    void (file.total = of(Number(file.total)));
export const one = ({ recent, random }: Story): Row => random.pick(recent);
export const withoutLast = ({ next }: Story, count: number): Row[] => next.slice(0, next.length - count);
export const oldPair = ({ next, random }: Story): Row[] => random.shuffled(next.filter(isOld)).slice(0, 2);

export const header = (change: (line: string) => string): Change =>
  text((old) => {
    const end = old.indexOf('\n');
    return change(old.slice(0, end)) + old.slice(end);
  });
/** One line more, and the total counts it. */
export function oneMore(line: string | Buffer): Change {
  return (file) => {
    file.bytes = Buffer.concat([file.bytes, Buffer.from(line as string)]);
    if (file.total !== null) file.total = String(Number(file.total) + 1);
  };
}

export function untrusted({ settings }: DropPlace): void {
  delete settings['SOURCE_FILE_COMPLETE'];
}
