/** The columns of a live table that hold the records, and the SQL that reads, compares and fills them. Pure. */
import { escapeIdentifier, escapeLiteral } from 'pg';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import type { Column } from '../../columns/parse-columns.ts';
import { sqlName } from '../../columns/column-types.ts';
import { fieldOf, valueOf } from './column-sql.ts';

/** A column under the name that it has in the table at the moment: a new one gets its own name at the end of a sync. */
export type PlacedColumn = Column & { readonly stored: string };

export type Shape = {
  /** Name of the column that holds the whole record; null: none does. */
  readonly record: string | null;
  readonly columns: readonly PlacedColumn[];
  /** Columns that the sync drops at its end, and that a new row must not leave NULL until then: the values that it gets. */
  readonly fillers?: ReadonlyMap<string, string>;
};

export function shapeOf({ list, keepsRecord }: Pick<ColumnSettings, 'list' | 'keepsRecord'>): Shape {
  return {
    record: keepsRecord ? 'record' : null,
    columns: list.map((column) => ({ ...column, stored: column.name })),
  };
}

/** Quoted names of the columns besides id and updated_at. */
export function namesIn({ record, columns }: Shape): string[] {
  const stored = columns.map((column) => escapeIdentifier(column.stored));
  return record === null ? stored : [escapeIdentifier(record), ...stored];
}

/** Names and values that an INSERT has beside those of the record; each begins with a comma. */
export function fillersOf({ fillers = new Map<string, string>() }: Shape): { names: string; values: string } {
  const names = [...fillers.keys()].map((name) => `, ${escapeIdentifier(name)}`);
  return { names: names.join(''), values: [...fillers.values()].map((value) => `, ${value}`).join('') };
}

/** The values of these columns, made of a whole record. @param record SQL of a jsonb */
export function valuesFrom({ record: kept, columns }: Shape, record: string): string[] {
  const values = columns.map(({ name, type }) => valueOf(type, `(${record} -> ${escapeLiteral(name)})`));
  return kept === null ? values : [record, ...values];
}

/** The values of these columns in a row of staging, which has the whole record and, beside it, the column of each field. */
export function stagedValues({ record: kept, columns }: Shape, row: string): string[] {
  const values = columns.map(({ name }) => `${row}.${escapeIdentifier(name)}`);
  return kept === null ? values : [`${row}.record`, ...values];
}

/** The columns of staging beside id, updated_at and record, made of a whole record: to be put into a SELECT list. */
export function stagedFrom({ columns }: Pick<Shape, 'columns'>, record: string): string {
  const values = valuesFrom({ record: null, columns }, record);
  return columns.map(({ name }, at) => `, ${values[at]} AS ${escapeIdentifier(name)}`).join('');
}

/** The same with types, to create staging. */
export function typedNames(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `, ${escapeIdentifier(name)} ${sqlName(type)}`).join('');
}

/** Names of these columns, to be put into a list of names. */
export function stagedNames(columns: readonly Column[]): string {
  return columns.map(({ name }) => `, ${escapeIdentifier(name)}`).join('');
}

/** Type and name of each column, to create it. */
export function definitionsOf({ record, columns }: Shape): string[] {
  const typed = columns.map(({ stored, type }) => `${escapeIdentifier(stored)} ${sqlName(type)}`);
  return record === null ? typed : [`${escapeIdentifier(record)} jsonb NOT NULL`, ...typed];
}

/** The record of a live row as change sets keep it: the whole one, or an object of the columns. NULL without the row. */
export function recordOf({ record, columns }: Shape, row: string): string {
  if (record !== null) return `${row}.${escapeIdentifier(record)}`;
  const fields = columns.map(
    ({ name, stored, type }) =>
      `${fieldOf(type, `${row}.${escapeIdentifier(stored)}`)} AS ${escapeIdentifier(name)}`,
  );
  const object = `(SELECT to_jsonb(r.*) FROM (SELECT ${fields.join(', ')}) r)`;
  return `CASE WHEN ${row}.id IS NOT NULL THEN ${object} END`;
}

/** The record that `recordOf` will give for a row of staging once it is written. */
export function recordToBe({ record, columns }: Shape, row: string): string {
  if (record !== null) return `${row}.record`;
  const fields = columns.map(
    ({ name, type }) => `${fieldOf(type, `${row}.${escapeIdentifier(name)}`)} AS ${escapeIdentifier(name)}`,
  );
  return `CASE WHEN ${row}.record IS NOT NULL THEN (SELECT to_jsonb(r.*) FROM (SELECT ${fields.join(', ')}) r) END`;
}

/**
 * Whether a live row differs from a row of staging. Compares bytewise (`*<>`): faster than by value, and 1.0 differs from
 * 1.00.
 */
export function differs(shape: Shape, live: string, row: string, withTime = true): string {
  return `${liveRow(shape, live, withTime)} *<> ${stagedRow(shape, row, withTime)}`;
}

export function isSame(shape: Shape, live: string, row: string): string {
  return `${liveRow(shape, live)} *= ${stagedRow(shape, row)}`;
}

function liveRow(shape: Shape, row: string, withTime = true): string {
  const names = [...(withTime ? ['updated_at'] : []), ...namesIn(shape)];
  return `row(${names.map((name) => `${row}.${name}`).join(', ')})::record`;
}

function stagedRow(shape: Shape, row: string, withTime = true): string {
  const values = [...(withTime ? [`${row}.updated_at`] : []), ...stagedValues(shape, row)];
  return `row(${values.join(', ')})::record`;
}

/** Hash that later shows whether another program has changed a record. Independent of the session's time zone. */
export function hashOf(row: string, record: string): string {
  return `hashtextextended(extract(epoch FROM ${row}.updated_at)::text || ' ' || (${record})::text, 0)`;
}

/** `a = …, b = …` with values in the order of the columns. */
export function assignments(shape: Shape, values: readonly string[]): string {
  return namesIn(shape)
    .map((name, at) => `${name} = ${values[at]}`)
    .join(', ');
}

/** Names of the columns, as SQL array, that a whole record does not fit. @param record SQL of a jsonb */
export function unfitIn({ columns }: Shape, record: string): string {
  const unfit = columns.map(({ name, type }) => {
    const field = `(${record} -> ${escapeLiteral(name)})`;
    return `CASE WHEN nullif(${field}, 'null') IS NOT NULL AND ${valueOf(type, field)} IS NULL THEN ${escapeLiteral(name)} END`;
  });
  return `array_remove(ARRAY[${unfit.join(', ')}]::text[], NULL)`;
}

/** Whether a column of a live row is NULL although its record has the field. */
export function isUnfilled({ columns }: Pick<Shape, 'columns'>, row: string): string {
  const unfilled = columns.map(
    ({ name, stored }) =>
      `${row}.${escapeIdentifier(stored)} IS NULL AND nullif(${row}.record -> ${escapeLiteral(name)}, 'null') IS NOT NULL`,
  );
  return `(${unfilled.join(' OR ')})`;
}
