/** Quoted names of a sink's tables: the user's live table, and our own in the state schema. Pure. */
import { escapeIdentifier } from 'pg';

const VERSION_TABLE = 'schema_version';

export type TableName = { readonly schema: string; readonly table: string };

export type Places = {
  /** Schema of the live table; null: the first schema of the role's search_path. */
  readonly schema: string | null;
  readonly table: string;
  /** The live table as SINK_TABLE writes it. */
  readonly shown: string;
  /** Our schema, unquoted; the names below are quoted. */
  readonly stateSchema: string;
  readonly sinks: string;
  readonly changeSets: string;
  readonly changes: string;
  readonly kept: string;
  readonly rejected: string;
  readonly loads: string;
  readonly revisions: string;
  /** Made with the first plan. */
  readonly plans: string;
  /** Made with the first table that has columns. */
  readonly sinkColumns: string;
  /** Made for the first source that goes on by a text of its own. */
  readonly sourceStates: string;
  readonly version: string;
  /** The staging table of one load. */
  readonly staging: (sinkId: number, loadId: string) => string;
};

export function placesOf(of: { schema: string | null; table: string; stateSchema: string }): Places {
  const ours = (table: string): string => quoted({ schema: of.stateSchema, table });
  return {
    schema: of.schema,
    table: of.table,
    shown: of.schema === null ? of.table : `${of.schema}.${of.table}`,
    stateSchema: of.stateSchema,
    sinks: ours('sinks'),
    changeSets: ours('change_sets'),
    changes: ours('changes'),
    kept: ours('kept'),
    rejected: ours('rejected'),
    loads: ours('loads'),
    revisions: ours('item_revisions'),
    plans: ours('plans'),
    sinkColumns: ours('sink_columns'),
    sourceStates: ours('source_states'),
    version: ours(VERSION_TABLE),
    staging: (sinkId, loadId) => ours(stagingName(sinkId, loadId)),
  };
}

/** Prefix of all staging tables of a sink. */
export function stagingPrefix(sinkId: number): string {
  return `staging_${sinkId}_`;
}

export function stagingName(sinkId: number, loadId: string): string {
  return `${stagingPrefix(sinkId)}${loadId.replaceAll('-', '')}`;
}

export function quoted({ schema, table }: TableName): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
}
