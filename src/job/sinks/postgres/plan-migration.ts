/**
 * Plans the change of a live table's columns from what it has to what SINK_COLUMNS lists. Refuses what would lose values
 * that nobody allowed to go. Pure.
 */
import { createHash } from 'node:crypto';
import { escapeIdentifier } from 'pg';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import { type ColumnType, sqlName } from '../../columns/column-types.ts';
import { NEW_COLUMN } from '../../columns/parse-columns.ts';
import { JobError } from '../../job-error.ts';
import { fillerOf } from './filler.ts';
import { type PlacedColumn, type Shape, shapeOf } from './shape.ts';
import type { StoredColumns } from './stored-columns.ts';

/** A column as the catalogue has it. */
export type FoundColumn = {
  readonly name: string;
  readonly type: string;
  /** An identity or generated column: Postgres computes its values, and no statement can set them. */
  readonly generated: boolean;
  /** NOT NULL. */
  readonly filled: boolean;
  /** Views and the like that a drop of the column would break. */
  readonly usedBy: readonly string[];
};

export type Migration = {
  /** The columns of the table now. */
  readonly before: Shape;
  /** Those of the list, new ones under a name of their own until the sync ends. */
  readonly during: Shape;
  readonly after: Shape;
  /** To add, with SQL type. */
  readonly added: readonly { readonly stored: string; readonly name: string; readonly type: string }[];
  /** The owner's columns that become ours, if they hold no value. */
  readonly adopted: readonly string[];
  /** To drop once the sync has made its changes. */
  readonly dropped: readonly string[];
  /** New columns of a sync that did not end. */
  readonly leftovers: readonly string[];
  /** Whether earlier records can be brought back into the columns of the list. */
  readonly keepsHistory: boolean;
  /** The change in words; empty if the columns are already those of the list. */
  readonly words: readonly string[];
};

type Input = {
  /** SINK_TABLE, for errors. */
  readonly shown: string;
  readonly found: readonly FoundColumn[];
  readonly stored: StoredColumns;
  readonly wanted: ColumnSettings;
};

/** The columns that hold the records now: those that an earlier run has stored, as far as they are still there. */
export function shapeNow({ found, stored, wanted }: Omit<Input, 'shown'>): Shape {
  const has = new Map(found.map((column) => [column.name, column]));
  if (stored.list) {
    const names = stored.list.names.filter((name) => has.has(name));
    return {
      record: stored.list.keepsRecord && has.has('record') ? 'record' : null,
      columns: names.flatMap((name) => placed(name, has.get(name)?.type ?? '', wanted)),
    };
  }
  // A table that no sync has written belongs to its owner, also a column record of his.
  if (stored.synced || wanted.keepsRecord) return { record: 'record', columns: [] };
  const { columns } = shapeOf(wanted);
  return { record: null, columns: columns.filter(({ name, type }) => has.get(name)?.type === sqlName(type)) };
}

/** A column that is only compared and dropped may have a type that the list does not know. */
function placed(name: string, type: string, { list }: ColumnSettings): PlacedColumn[] {
  const listed = list.find((column) => column.name === name);
  const same = listed && sqlName(listed.type) === type ? listed.type : OTHER;
  return [{ name, type: same, stored: name }];
}

/** Stands for every type but that of the list; its values are read as JSON. */
const OTHER: ColumnType = { name: 'jsonb' };

/** @throws JobError `notConfigured` */
export function planMigration(input: Input): Migration | null {
  const before = shapeNow(input);
  const after = shapeOf(input.wanted);
  const has = new Map(input.found.map((column) => [column.name, column]));
  const ours = new Set([...before.columns.map(({ name }) => name), ...(before.record ? ['record'] : [])]);
  const wanted = [
    ...after.columns.map(({ name, type }) => ({ name, type: sqlName(type) })),
    ...(after.record === null ? [] : [{ name: 'record', type: 'jsonb' }]),
  ];
  const added: { stored: string; name: string; type: string }[] = [];
  const adopted: string[] = [];
  for (const { name, type } of wanted) {
    const there = has.get(name);
    if (ours.has(name) && there?.type === type) continue;
    if (!ours.has(name) && there) {
      refuseStranger(input, there, type);
      adopted.push(name);
    } else added.push({ stored: newName(name, type), name, type });
  }
  const listed = new Map(wanted.map(({ name, type }) => [name, type]));
  const dropped = [...ours].filter((name) => has.has(name) && listed.get(name) !== has.get(name)?.type);
  for (const name of dropped) refuseDrop(input, name, { from: has.get(name), to: listed.get(name) });
  const leftovers = input.found
    .filter(({ name }) => OURS_NEW.test(name) && !added.some(({ stored }) => stored === name))
    .map(({ name }) => name);
  const words = wordsOf({ added, adopted, dropped });
  if (words.length === 0 && leftovers.length === 0) return null;
  const fillers = fillersFor(dropped.flatMap((name) => has.get(name) ?? []));
  const storedAs = new Map(added.map(({ name, stored }) => [name, stored]));
  return {
    before,
    after,
    during: {
      record: after.record && (storedAs.get('record') ?? after.record),
      columns: after.columns.map((column) => ({
        ...column,
        stored: storedAs.get(column.name) ?? column.name,
      })),
      fillers,
    },
    added,
    adopted,
    dropped,
    leftovers,
    keepsHistory: words.length === 0 || (before.record !== null && after.record !== null),
    words,
  };
}

/** Values of new rows for columns that must not be NULL until the sync drops them. */
function fillersFor(dropped: readonly FoundColumn[]): Map<string, string> {
  const mandatory = dropped.filter(({ filled }) => filled);
  return new Map(mandatory.map(({ name, type }) => [name, fillerOf(type) ?? `NULL::${type}`]));
}

/** Made by `newName`; another column with this beginning belongs to the owner. */
const OURS_NEW = new RegExp(`^${NEW_COLUMN}[0-9a-f]{16}$`);

/** The same for the same column, so that a second attempt finds what the first one added. */
function newName(name: string, type: string): string {
  return `${NEW_COLUMN}${createHash('sha256').update(`${name} ${type}`).digest('hex').slice(0, 16)}`;
}

function refuseStranger({ shown }: Input, { name, type: is, generated }: FoundColumn, type: string): void {
  const column = asListed(name);
  if (generated)
    throw refusal(
      `${shown} has a column ${column} that Postgres generates; remove it from SINK_COLUMNS, or drop it`,
    );
  if (is !== type)
    throw refusal(
      `${shown} has a column ${column} of type ${is} that Syncrator did not make, and SINK_COLUMNS lists it as ${type}; ` +
        'give the list that type, rename the column, or rename the field by FIELDS',
    );
}

function refuseDrop(
  { shown, wanted }: Input,
  name: string,
  { from, to }: { from: FoundColumn | undefined; to: string | undefined },
): void {
  const column = asListed(name);
  if (!wanted.mayDrop.includes(name)) {
    const why =
      to !== undefined
        ? `${shown} has the column ${column} of type ${from?.type}, and SINK_COLUMNS lists it as ${to}`
        : name === 'record'
          ? `${shown} has the column record, and SINK_RECORD=false lacks it`
          : `${shown} has the column ${column}, and SINK_COLUMNS lacks it`;
    const fix =
      to === undefined
        ? `List it again, or let the sync drop it, with its values and indexes: SINK_DROP_COLUMNS=${column}`
        : `List it as before, or let the sync drop it with its indexes and fill it anew: SINK_DROP_COLUMNS=${column}`;
    throw refusal(`${why}. ${fix}`);
  }
  const [user] = from?.usedBy ?? [];
  if (user !== undefined)
    throw refusal(
      `${shown}: the column ${column} is to be dropped, and ${user} uses it; drop or change that first`,
    );
}

/** As SINK_COLUMNS writes it. */
function asListed(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : escapeIdentifier(name);
}

function refusal(words: string): JobError {
  return new JobError('notConfigured', `${words}; nothing was touched`);
}

function wordsOf({ added, adopted, dropped }: Pick<Migration, 'added' | 'adopted' | 'dropped'>): string[] {
  const list = (names: readonly string[]): string => names.map(asListed).join(', ');
  const words = [];
  if (added.length > 0)
    words.push(`adds ${added.map(({ name, type }) => `${asListed(name)} ${type}`).join(', ')}`);
  if (adopted.length > 0) words.push(`fills ${list(adopted)}, which the table has already`);
  if (dropped.length > 0) words.push(`drops ${list(dropped)}`);
  return words;
}
