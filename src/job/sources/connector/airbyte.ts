/** The Airbyte protocol: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol. */
import { IncompleteListingError } from '../../job-error.ts';
import type { Fields } from '../json-object.ts';
import type { Line } from '../lines.ts';
import type { Command } from './child.ts';
import type { ConnectorProgram } from './connector-settings.ts';
import { type Dialect, fullName, isAbout, type Stream, type Taking } from './dialect.ts';
import { type Heard, heardIn, listIn, textIn, within } from './message.ts';
import type { Program } from './program.ts';
import { createStreamEnd, type StreamEnd } from './stream-end.ts';

const CONFIG = 'config.json';
const CATALOG = 'catalog.json';
/** Levels that a log needs only for a search within the connector. */
const QUIET: ReadonlySet<string> = new Set(['DEBUG', 'TRACE']);

export function createAirbyte(program: Program, settings: ConnectorProgram): Dialect {
  const files = { [CONFIG]: JSON.stringify(settings.config) };
  const manifest = settings.manifest === null ? [] : ['--manifest-path', settings.manifest];
  const asked = async (verb: string, type: string, field: string): Promise<Fields> => {
    const argv: Command['argv'] = (at) => [verb, '--config', at(CONFIG), ...manifest];
    return within(await answer(program, { verb, type, ask: { files, argv } }), field);
  };

  return {
    async spec() {
      const ask = { files: {}, argv: () => ['spec'] };
      const message = await answer(program, { verb: 'spec', type: 'SPEC', ask });
      return within(within(message, 'spec'), 'connectionSpecification');
    },
    async check() {
      const status = await asked('check', 'CONNECTION_STATUS', 'connectionStatus');
      if (textIn(status, 'status') === 'SUCCEEDED') return;
      program.log.failure(textIn(status, 'message') ?? 'no reason was given');
      throw program.failed(
        'notConfigured',
        `the check of ${program.name} failed (correct CONNECTOR_CONFIG, or its source)`,
      );
    },
    async discover() {
      const catalog = await asked('discover', 'CATALOG', 'catalog');
      return listIn(catalog, 'streams').map((stream) => streamOf(stream as Fields));
    },
    async read(stream, taking, together) {
      const ask: Command = {
        files: { ...files, [CATALOG]: JSON.stringify(catalogOf(stream)) },
        argv: (at) => ['read', '--config', at(CONFIG), '--catalog', at(CATALOG), ...manifest],
      };
      const end = createStreamEnd(stream);
      const take = (line: Line): void => takeLine(line, { stream, taking, end, program });
      const code = await program.run('read', ask, (lines) => together(() => lines.forEach(take)));
      const doubt = end.doubt(code);
      if (doubt === null) return null;
      throw new IncompleteListingError(
        program.failed('failed', `${program.name} ${fullName(stream)}: ${doubt}`).message,
      );
    },
  };
}

/** Runs a command that answers with one message. */
async function answer(
  program: Program,
  { verb, type, ask }: { verb: string; type: string; ask: Command },
): Promise<Fields> {
  let found: Fields | null = null;
  const code = await program.run(verb, ask, (lines) =>
    lines.map(heardIn).forEach((heard) => {
      if (heard.kind === 'message' && heard.type === type) found = heard.fields;
      else passOn(heard, program);
    }),
  );
  if (found !== null && code === 0) return found;
  const why = code === 0 ? `ended without a message ${type}` : `ended with exit code ${code}`;
  throw program.failed('notConfigured', `${program.name} ${verb} ${why}`);
}

function takeLine(
  line: Line,
  of: { stream: Stream; taking: Taking; end: StreamEnd; program: Program },
): void {
  const { stream, taking, end, program } = of;
  const heard = heardIn(line);
  if (heard.kind === 'broken') return taking.unreadable(heard.why);
  const isRecord = heard.kind === 'message' && heard.type === 'RECORD';
  if (!isRecord) return noteEnd(heard, end, program);
  const data = recordOf(heard.fields, stream);
  if (data === null) return end.foreign();
  end.record();
  taking.record(data);
}

function noteEnd(heard: Heard, end: StreamEnd, program: Program): void {
  if (heard.kind === 'message' && heard.type === 'STATE') return end.state(within(heard.fields, 'state'));
  const trace = heard.kind === 'message' && heard.type === 'TRACE' ? within(heard.fields, 'trace') : {};
  if (textIn(trace, 'type') === 'STREAM_STATUS') end.status(within(trace, 'stream_status'));
  else passOn(heard, program);
}

/** The fields of a record of this stream; null for another one. */
function recordOf(message: Fields, stream: Stream): Fields | null {
  const record = within(message, 'record');
  return isAbout(stream, record['stream'], record['namespace']) ? within(record, 'data') : null;
}

function passOn(heard: Heard, { log }: Program): void {
  if (heard.kind === 'text') return log.line(heard.text);
  if (heard.kind === 'broken') return log.line(heard.why);
  if (heard.type === 'LOG') {
    const { level, message } = within(heard.fields, 'log');
    if (!QUIET.has(String(level))) log.line(`${String(level)} ${String(message)}`);
  } else if (heard.type === 'TRACE') {
    const error = within(within(heard.fields, 'trace'), 'error');
    const details = textIn(error, 'internal_message');
    if (details !== null) log.line(details);
    const message = textIn(error, 'message');
    if (message !== null) log.failure(message);
  } else if (heard.type === 'CONTROL')
    // Its config would hold the new secret.
    log.line('wants to store a changed config, such as a new token, which Syncrator does not do');
}

function streamOf(definition: Fields): Stream {
  const key = listIn(definition, 'source_defined_primary_key').filter(
    (path): path is string[] =>
      Array.isArray(path) && path.length > 0 && path.every((part) => typeof part === 'string'),
  );
  const cursor = listIn(definition, 'default_cursor_field');
  return {
    name: textIn(definition, 'name') ?? '',
    namespace: textIn(definition, 'namespace'),
    key: key.length === 0 ? null : key,
    cursor: cursor.length === 1 ? String(cursor[0]) : null,
    definition,
  };
}

/** Asks for the whole stream: without a state, `incremental` lists everything, too. */
function catalogOf({ definition, key }: Stream): Fields {
  const modes = listIn(definition, 'supported_sync_modes');
  const isWhole = modes.length === 0 || modes.includes('full_refresh');
  return {
    streams: [
      {
        stream: definition,
        sync_mode: isWhole ? 'full_refresh' : 'incremental',
        destination_sync_mode: 'overwrite',
        ...(isWhole ? {} : { cursor_field: listIn(definition, 'default_cursor_field') }),
        ...(key === null ? {} : { primary_key: key }),
      },
    ],
  };
}
