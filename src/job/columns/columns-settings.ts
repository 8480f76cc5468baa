/** Reads the settings SINK_COLUMNS, SINK_RECORD and SINK_DROP_COLUMNS. */
import { readFileSync } from 'node:fs';
import { reasonOf } from '../job-error.ts';
import { readFlag } from '../setting-values.ts';
import type { Settings } from '../settings-file.ts';
import { type Column, ColumnsFault, parseColumns, parseNames } from './parse-columns.ts';

export type ColumnSettings = {
  /** Empty: the table has no columns of fields. */
  readonly list: readonly Column[];
  /** The table has the column `record`. */
  readonly keepsRecord: boolean;
  /** Columns that a sync may drop. */
  readonly mayDrop: readonly string[];
};

export const RECORD_ALONE: ColumnSettings = { list: [], keepsRecord: true, mayDrop: [] };

const KEYS = ['SINK_COLUMNS', 'SINK_RECORD', 'SINK_DROP_COLUMNS'];

/** @returns null without any of the settings @throws JobError `notConfigured` */
export function readColumnSettings(settings: Settings): ColumnSettings | null {
  const { optional, fault } = settings;
  const [columns, record, drop] = KEYS.map(optional);
  if (columns === undefined && record === undefined && drop === undefined) return null;
  const list =
    columns === undefined
      ? []
      : parsed(settings, 'SINK_COLUMNS', () => parseColumns(listOf(columns, settings)));
  const keepsRecord = record === undefined || readFlag(settings, 'SINK_RECORD');
  if (!keepsRecord && list.length === 0)
    throw fault('SINK_RECORD is false without SINK_COLUMNS, so the table would hold no data');
  const mayDrop = drop === undefined ? [] : parsed(settings, 'SINK_DROP_COLUMNS', () => parseNames(drop));
  return { list, keepsRecord, mayDrop };
}

/** @param of such as `SINK=solr` @throws JobError `notConfigured` if one of the settings is set */
export function refuseColumns({ optional, fault }: Settings, of: string): void {
  const key = KEYS.find((one) => optional(one) !== undefined);
  if (key !== undefined)
    throw fault(`${key} is set, but ${of} has no columns: only a table of SINK=postgres has; remove it`);
}

/** A list has blanks between names and types, so a value without blanks is the path of a file. */
function listOf(value: string, { fault }: Settings): string {
  if (!/^\.{0,2}\//.test(value) && /\s/.test(value)) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    throw fault(
      `SINK_COLUMNS is neither a list such as name text nor a file that can be read (${reasonOf(error)})`,
    );
  }
}

function parsed<T>({ fault }: Settings, key: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ColumnsFault)) throw error;
    throw fault(`${key} ${error.message}`);
  }
}
