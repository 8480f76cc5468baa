/**
 * `connector`: asks the program of SOURCE=connector for the form of its config, whether that works, and its streams. Prints
 * JSON, which `syncrator connector discover` shows. Reads no record, and needs no sink.
 */
import { EXIT } from '../domain/exit-code.ts';
import { orFault } from './fault.ts';
import { type Environment, openSettings } from './settings-file.ts';
import { readConnectorProgram } from './sources/connector/connector-settings.ts';
import { fullName, type Stream } from './sources/connector/dialect.ts';
import { within } from './sources/connector/message.ts';
import { openDialect } from './sources/connector/open-dialect.ts';

export type DiscoverInput = {
  readonly environment: Environment;
  readonly terminate: AbortSignal;
  readonly write: (text: string) => void;
  /** Takes what the connector says about its work. */
  readonly writeLog: (line: string) => void;
};

/** @returns the exit code; 0 if the connector has named its streams */
export async function runDiscover({
  environment,
  terminate,
  write,
  writeLog,
}: DiscoverInput): Promise<number> {
  const found: Record<string, unknown> = {};
  const failed = await orFault(async () => {
    const settings = openSettings(environment);
    settings.oneOf('SOURCE', ['connector']);
    const read = readConnectorProgram(settings);
    const { dialect, program } = openDialect(read, { stop: terminate, writeLog });
    Object.assign(found, { connector: program.name, protocol: read.protocol });
    // A manifest holds its own; the program that runs it would tell a general one.
    if (read.manifest === null) found['spec'] = await dialect.spec();
    found['streams'] = (await dialect.discover()).map(shown);
    return null;
  });
  write(`${JSON.stringify({ ...found, ...failed }, undefined, 2)}\n`);
  return failed?.exit_code ?? EXIT.ok;
}

function shown(stream: Stream): Record<string, unknown> {
  const { key, cursor, definition } = stream;
  const properties = within(
    within(definition, 'json_schema' in definition ? 'json_schema' : 'schema'),
    'properties',
  );
  const { format } = cursor === null ? {} : within(properties, cursor);
  const isTime = format === 'date-time' || format === 'date';
  return {
    stream: fullName(stream),
    primary_key: key?.map((path) => path.join('.')) ?? null,
    updated_at: isTime ? cursor : null,
    fields: Object.keys(properties),
  };
}
