/** The Airbyte protocol: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol. */
import { IncompleteListingError } from '../../job-error.ts';
import type { Fields } from '../json-object.ts';
import type { Line } from '../lines.ts';
import type { Command } from './child.ts';
import type { ConnectorProgram } from './connector-settings.ts';
import { type Dialect, type From, fullName, isAbout, type Stream, type Taking } from './dialect.ts';
import { type AirbyteStates, createAirbyteStates } from './kept-state.ts';
import { type Heard, heardIn, listIn, objectsIn, shownIn, textIn, within } from './message.ts';
import type { Program } from './program.ts';
import { createStreamEnd, type StreamEnd } from './stream-end.ts';

const CONFIG = 'config.json';
const CATALOG = 'catalog.json';
const STATE = 'state.json';
/** Levels that a log needs only for a search within the connector. */
const QUIET: ReadonlySet<string> = new Set(['DEBUG', 'TRACE']);

export function createAirbyte(program: Program, settings: ConnectorProgram): Dialect {
  const files = { [CONFIG]: JSON.stringify(settings.config) };
  const manifest = settings.manifest === null ? [] : ['--manifest-path', settings.manifest];
  const asked = async (of: Program, verb: string, type: string, field: string): Promise<Fields> => {
    const argv: Command['argv'] = (at) => [verb, '--config', at(CONFIG), ...manifest];
    return within(await answer(of, { verb, type, ask: { files, argv } }), field);
  };
  const check = async (own: Program): Promise<void> => {
    const status = await asked(own, 'check', 'CONNECTION_STATUS', 'connectionStatus');
    if (textIn(status, 'status') === 'SUCCEEDED') return;
    own.log.failure(textIn(status, 'message') ?? 'no reason was given');
    throw own.failed(
      'notConfigured',
      `the check of ${own.name} failed (correct CONNECTOR_CONFIG, or its source)`,
    );
  };

  return {
    async spec() {
      const ask = { files: {}, argv: () => ['spec'] };
      const message = await answer(program, { verb: 'spec', type: 'SPEC', ask });
      return within(within(message, 'spec'), 'connectionSpecification');
    },
    async discover() {
      // Side by side: each command of a connector takes seconds to start. What a refused config does to the discover is no matter.
      const refused = new AbortController();
      const discovered = program.aside(refused.signal, (own) => asked(own, 'discover', 'CATALOG', 'catalog'));
      const checked = program.aside(refused.signal, check).catch((reason: unknown) => {
        refused.abort(reason);
        throw reason;
      });
      const [, catalog] = await Promise.allSettled([checked, discovered]);
      await checked;
      if (catalog.status === 'rejected') throw catalog.reason;
      return objectsIn(catalog.value, 'streams').map(streamOf);
    },
    goesOn,
    async read(stream, taking, { from, together }) {
      const ask = readCommand({ files, manifest }, stream, from);
      const end = createStreamEnd(stream);
      const states = createAirbyteStates(stream);
      const take = (line: Line): void => takeLine(line, { stream, taking, end, states, program });
      const { code } = await program.run('read', ask, (lines) => together(() => lines.forEach(take)));
      const doubt = end.doubt(code);
      if (doubt === null) return { doubt, state: from === null ? null : states.last() };
      throw new IncompleteListingError(
        program.failed('failed', `${program.name} ${fullName(stream)}: ${doubt}`).message,
      );
    },
  };
}

/** Some connectors answer that a check failed, and exit with another code than 0. */
function noteReason(message: Fields | null, { log }: Program): void {
  const reason = textIn(within(message ?? {}, 'connectionStatus'), 'message');
  if (reason !== null) log.failure(reason);
}

/** Runs a command that answers with one message. */
async function answer(
  program: Program,
  { verb, type, ask }: { verb: string; type: string; ask: Command },
): Promise<Fields> {
  let found: Fields | null = null;
  const { code } = await program.run(verb, ask, (lines) =>
    lines.map(heardIn).forEach((heard) => {
      if (heard.kind === 'message' && heard.type === type) found = heard.fields;
      else passOn(heard, program);
    }),
  );
  if (found !== null && code === 0) return found;
  noteReason(found, program);
  const why = code === 0 ? `ended without a message ${type}` : `ended with exit code ${code}`;
  throw program.failed('notConfigured', `${program.name} ${verb} ${why}`);
}

function takeLine(
  line: Line,
  of: { stream: Stream; taking: Taking; end: StreamEnd; states: AirbyteStates; program: Program },
): void {
  const { stream, taking, end } = of;
  const heard = heardIn(line);
  if (heard.kind === 'text' || (heard.kind === 'message' && heard.type !== 'RECORD'))
    return noteEnd(heard, of);
  const found = heard.kind === 'broken' ? heard.why : recordOf(heard.fields, stream);
  if (found === null) return end.foreign();
  if (typeof found === 'string') {
    end.unreadable();
    return taking.unreadable(found);
  }
  end.record();
  taking.record(found);
  if (heard.kind === 'message' && isAltered(heard.fields)) taking.altered();
}

function noteEnd(
  heard: Heard,
  { end, states, program }: { end: StreamEnd; states: AirbyteStates; program: Program },
): void {
  if (heard.kind === 'message' && heard.type === 'STATE') {
    const state = within(heard.fields, 'state');
    states.take(state);
    return end.state(state);
  }
  const trace = heard.kind === 'message' && heard.type === 'TRACE' ? within(heard.fields, 'trace') : {};
  const type = textIn(trace, 'type');
  if (type === 'STREAM_STATUS') return end.status(within(trace, 'stream_status'));
  if (type === 'ERROR') end.error(within(within(trace, 'error'), 'stream_descriptor'));
  passOn(heard, program);
}

/** The fields of a record of this stream; null for one of another stream; why it may be of this one. */
function recordOf(message: Fields, stream: Stream): Fields | string | null {
  const record = within(message, 'record');
  const [name, namespace] = [textIn(record, 'stream'), textIn(record, 'namespace')];
  if (name === null) return 'it does not name its stream';
  if (isAbout(stream, name, namespace)) return within(record, 'data');
  if (name !== stream.name || stream.namespace !== null) return null;
  return 'it names a namespace, and the catalog of the connector names none for this stream';
}

/** Such as a text that was too long for the connector. */
function isAltered(message: Fields): boolean {
  return listIn(within(within(message, 'record'), 'meta'), 'changes').length > 0;
}

function passOn(heard: Heard, { log }: Program): void {
  if (heard.kind === 'text') return log.line(heard.text);
  if (heard.kind === 'broken') return log.line(heard.why);
  if (heard.type === 'LOG') {
    const said = within(heard.fields, 'log');
    const level = shownIn(said, 'level');
    if (!QUIET.has(level)) log.line(`${level} ${shownIn(said, 'message')}`);
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
  const told = listIn(definition, 'source_defined_primary_key');
  // A part of the key would make one record of several.
  const key = told.every(isPath) ? told : [];
  const cursor = listIn(definition, 'default_cursor_field');
  return {
    name: textIn(definition, 'name') ?? '',
    namespace: textIn(definition, 'namespace'),
    key: key.length === 0 ? null : key,
    cursor: cursor.length === 1 && typeof cursor[0] === 'string' ? cursor[0] : null,
    definition,
  };
}

function isPath(path: unknown): path is string[] {
  return Array.isArray(path) && path.length > 0 && path.every((part) => typeof part === 'string');
}

function readCommand(
  { files, manifest }: { files: Command['files']; manifest: readonly string[] },
  stream: Stream,
  from: From | null,
): Command {
  const state = from?.state ?? null;
  const catalog = JSON.stringify(catalogOf(stream, from));
  return {
    files: { ...files, [CATALOG]: catalog, ...(state !== null && { [STATE]: state }) },
    argv: (at) => [
      'read',
      '--config',
      at(CONFIG),
      '--catalog',
      at(CATALOG),
      ...(state === null ? [] : ['--state', at(STATE)]),
      ...manifest,
    ],
  };
}

function goesOn({ definition }: Stream): boolean {
  const hasCursor =
    definition['source_defined_cursor'] === true || listIn(definition, 'default_cursor_field').length > 0;
  return hasCursor && listIn(definition, 'supported_sync_modes').includes('incremental');
}

/** Asks for the whole stream, or for its changes: without a state, `incremental` lists everything, too. */
function catalogOf({ definition, key }: Stream, from: From | null): Fields {
  const modes = listIn(definition, 'supported_sync_modes');
  const isWhole = from === null && (modes.length === 0 || modes.includes('full_refresh'));
  return {
    streams: [
      {
        stream: definition,
        sync_mode: isWhole ? 'full_refresh' : 'incremental',
        destination_sync_mode: from === null ? 'overwrite' : 'append',
        ...(isWhole ? {} : { cursor_field: listIn(definition, 'default_cursor_field') }),
        ...(key === null ? {} : { primary_key: key }),
      },
    ],
  };
}
