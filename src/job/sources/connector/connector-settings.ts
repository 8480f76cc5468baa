/** Reads the settings of source `connector`. */
import { readFileSync, statSync } from 'node:fs';
import { readDuration, readFlag } from '../../setting-values.ts';
import type { Settings } from '../../settings-file.ts';
import { readIdColumns } from '../columns.ts';
import { BAD_LINE, parsedObject } from '../json-object.ts';

/** The program of a connector, and its input. */
export type ConnectorProgram = {
  readonly protocol: 'airbyte' | 'singer';
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** File of a declarative manifest; null without one. */
  readonly manifest: string | null;
  /** Holds secrets. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Longest time without any output. */
  readonly silenceMs: number;
};

export type ConnectorSettings = ConnectorProgram & {
  readonly kind: 'connector';
  /** `name` or `namespace.name`. */
  readonly stream: string;
  /** Columns that together make the id; null: the primary key that the connector tells. */
  readonly id: readonly string[] | null;
  /** null: records do not tell when they changed. */
  readonly updatedAt: string | null;
  /** CONNECTOR_EXIT_COMPLETE=true: exit code 0 proves that the stream is complete. */
  readonly exitProves: boolean;
};

const MANIFEST_PROGRAM = 'source-declarative-manifest';

/** @throws JobError `notConfigured` */
export function readConnectorSettings(settings: Settings): ConnectorSettings {
  const { optional, required, fault } = settings;
  const program = readConnectorProgram(settings);
  const exitProves = readFlag(settings, 'CONNECTOR_EXIT_COMPLETE');
  if (exitProves && program.protocol === 'airbyte')
    throw fault(
      'CONNECTOR_EXIT_COMPLETE needs CONNECTOR_PROTOCOL=singer: an Airbyte connector says itself whether a stream is complete',
    );
  return {
    kind: 'connector',
    ...program,
    stream: required('CONNECTOR_STREAM'),
    id: optional('SOURCE_ID') === undefined ? null : readIdColumns(settings),
    updatedAt: optional('SOURCE_UPDATED_AT') ?? null,
    exitProves,
  };
}

/** The settings without those of a stream. @throws JobError `notConfigured` */
export function readConnectorProgram(settings: Settings): ConnectorProgram {
  const { optional, fault } = settings;
  const protocol =
    optional('CONNECTOR_PROTOCOL') === undefined
      ? 'airbyte'
      : settings.oneOf('CONNECTOR_PROTOCOL', ['airbyte', 'singer']);
  const manifest = optional('CONNECTOR_MANIFEST') ?? null;
  if (manifest !== null && protocol === 'singer')
    throw fault('CONNECTOR_MANIFEST needs CONNECTOR_PROTOCOL=airbyte: a Singer tap takes no manifest');
  if (manifest !== null) refuseMissing(manifest, settings);
  const command = (optional('CONNECTOR') ?? (manifest === null ? '' : MANIFEST_PROGRAM)).split(/\s+/);
  if (command[0] === '') throw fault('CONNECTOR is missing');
  const silenceMs = readDuration(settings, 'CONNECTOR_SILENCE', '10m');
  if (silenceMs === 0) throw fault('CONNECTOR_SILENCE is 0: it must be at least 1s');
  return { protocol, command, manifest, config: readConfig(settings), silenceMs };
}

function refuseMissing(manifest: string, { fault }: Settings): void {
  if (!manifest.startsWith('/')) throw fault('CONNECTOR_MANIFEST is not an absolute path');
  if (!statSync(manifest, { throwIfNoEntry: false })?.isFile())
    throw fault(`CONNECTOR_MANIFEST: the file ${manifest} does not exist`);
}

/** No error quotes the value: it holds secrets, also one that is no JSON. */
function readConfig({ optional, fault }: Settings): Readonly<Record<string, unknown>> {
  const value = optional('CONNECTOR_CONFIG') ?? '{}';
  const isText = value.startsWith('{');
  let text = value;
  try {
    if (!isText) text = readFileSync(value, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fault(
      `CONNECTOR_CONFIG is neither a JSON object nor a file that can be read (${code}); correct the path or its rights`,
    );
  }
  // The trim also takes a byte order mark.
  const config = parsedObject(text.trim());
  if (config === BAD_LINE)
    throw fault(`CONNECTOR_CONFIG ${isText ? 'is' : 'names a file that is'} not valid JSON`);
  if (typeof config === 'string') throw fault(`CONNECTOR_CONFIG cannot be used: ${config}`);
  return config;
}
