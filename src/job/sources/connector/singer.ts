/** The protocol of Singer taps: https://hub.meltano.com/singer/spec. It has no message that says that a stream is complete. */
import { IncompleteListingError } from '../../job-error.ts';
import { type Fields, parsedObject } from '../json-object.ts';
import type { Line } from '../lines.ts';
import type { Command } from './child.ts';
import { type Dialect, type From, fullName, type Stream, type Taking } from './dialect.ts';
import { heardIn, listIn, objectsIn, textIn, within } from './message.ts';
import type { Program } from './program.ts';

const CONFIG = 'config.json';
const CATALOG = 'catalog.json';
const STATE = 'state.json';
/** A catalog with many streams and their schemas is still far shorter. */
const MOST_CATALOG_LENGTH = 256 * 1024 * 1024;

/** @param of.exitProves CONNECTOR_EXIT_COMPLETE */
export function createSinger(
  program: Program,
  { config, exitProves }: { readonly config: Fields; readonly exitProves: boolean },
): Dialect {
  const files = { [CONFIG]: JSON.stringify(config) };
  const name = (stream: Stream): string => `${program.name} ${fullName(stream)}`;

  return {
    spec: () => Promise.resolve(null),
    // The protocol has no check of its own; to discover the streams, a tap needs its source.
    async discover() {
      const argv: Command['argv'] = (at) => ['--config', at(CONFIG), '--discover'];
      return (await catalogFrom(program, { files, argv })).map(streamOf);
    },
    goesOn: ({ cursor, definition }) =>
      cursor !== null && rootOf(definition)['forced-replication-method'] !== 'FULL_TABLE',
    async read(stream, taking, { from, together }) {
      const ask = syncCommand(files, stream, from);
      let [hasBegun, foreign, records] = [false, 0, 0];
      let state: unknown = null;
      const counting: Taking = {
        ...taking,
        record(data) {
          records += 1;
          taking.record(data);
        },
      };
      const onState = (value: unknown): void => void (state = value);
      const take = (line: Line): void => {
        const about = takeLine(line, { stream, taking: counting, onState, program });
        if (about === 'this') hasBegun = true;
        if (about === 'another record') foreign += 1;
      };
      const { code, isCut } = await program.run('sync', ask, (lines) => together(() => lines.forEach(take)));
      const isForeign = records === 0 && foreign > 0;
      const doubt = isForeign
        ? `all ${foreign} records that came are of other streams`
        : 'the tap has written nothing of this stream, not even its SCHEMA';
      if (code !== 0)
        throw new IncompleteListingError(
          program.failed('failed', `${name(stream)}: the tap ended with exit code ${code}`).message,
        );
      if (!hasBegun || isForeign)
        throw new IncompleteListingError(program.failed('failed', `${name(stream)}: ${doubt}`).message);
      if (isCut)
        return {
          doubt:
            'the tap has ended, and a process that it left behind still held its output; its exit code proves nothing',
          state: null,
        };
      return { doubt: exitProves ? null : UNPROVEN, state: from === null ? null : state };
    },
  };
}

const UNPROVEN =
  'a Singer tap does not say whether a stream is complete; set CONNECTOR_EXIT_COMPLETE=true if its exit code 0 proves it';

function syncCommand(files: Command['files'], stream: Stream, from: From | null): Command {
  const state = from?.state ?? null;
  const catalog = JSON.stringify({ streams: [selected(stream, from)] });
  return {
    files: { ...files, [CATALOG]: catalog, ...(state !== null && { [STATE]: state }) },
    argv: (at) => [
      '--config',
      at(CONFIG),
      '--catalog',
      at(CATALOG),
      ...(state === null ? [] : ['--state', at(STATE)]),
    ],
  };
}

async function catalogFrom(program: Program, ask: Command): Promise<readonly Fields[]> {
  const text: string[] = [];
  let length = 0;
  const { code } = await program.run('--discover', ask, (lines) => {
    for (const line of lines) {
      length += typeof line === 'string' ? line.length : 0;
      if (typeof line === 'string' && length < MOST_CATALOG_LENGTH) text.push(line);
    }
  });
  if (code !== 0)
    throw program.failed('notConfigured', `${program.name} --discover ended with exit code ${code}`);
  const found = parsedObject(text.join('\n'));
  if (typeof found === 'string' || !Array.isArray(found['streams']))
    throw program.failed('failed', `${program.name} --discover has written no catalog of streams`);
  return objectsIn(found, 'streams');
}

/** @returns what the message is about @throws IncompleteListingError */
function takeLine(
  line: Line,
  {
    stream,
    taking,
    onState,
    program,
  }: { stream: Stream; taking: Taking; onState: (value: unknown) => void; program: Program },
): 'this' | 'another record' | 'nothing' {
  const heard = heardIn(line);
  if (heard.kind === 'broken') taking.unreadable(heard.why);
  if (heard.kind === 'text') program.log.line(heard.text);
  if (heard.kind !== 'message') return 'nothing';
  const { type, fields } = heard;
  if (type === 'BATCH') throw batched(program.name);
  if (type === 'STATE') onState(fields['value'] ?? null);
  const told = textIn(fields, 'stream');
  if (type === 'RECORD' && told === null) taking.unreadable('it does not name its stream');
  const name = textIn(stream.definition, 'stream') ?? stream.name;
  if (told === null) return 'nothing';
  if (told !== name && told !== stream.name) return type === 'RECORD' ? 'another record' : 'nothing';
  if (type === 'RECORD') taking.record(within(fields, 'record'));
  return 'this';
}

function batched(name: string): IncompleteListingError {
  return new IncompleteListingError(
    `${name} hands out records as files (BATCH), which cannot be read; turn batches off in CONNECTOR_CONFIG`,
  );
}

function streamOf(definition: Fields): Stream {
  const root = rootOf(definition);
  const told = listIn(definition, 'key_properties');
  const names = told.length > 0 ? told : listIn(root, 'table-key-properties');
  const key = names.every((name) => typeof name === 'string') ? names : [];
  return {
    name: textIn(definition, 'tap_stream_id') ?? textIn(definition, 'stream') ?? '',
    namespace: null,
    key: key.length === 0 ? null : key.map((name) => [name]),
    cursor: textIn(definition, 'replication_key') ?? textIn(root, 'replication-key'),
    definition,
  };
}

type Metadata = { readonly breadcrumb?: unknown; readonly metadata?: Fields };

const isRoot = ({ breadcrumb }: Metadata): boolean => Array.isArray(breadcrumb) && breadcrumb.length === 0;

function rootOf(definition: Fields): Fields {
  const entries = objectsIn(definition, 'metadata') as readonly Metadata[];
  return entries.find(isRoot)?.metadata ?? {};
}

/** Selects the stream with all its fields, as a whole or its changes: in the way of today's taps and in that of older ones. */
function selected({ definition, cursor }: Stream, from: From | null): Fields {
  const method =
    from === null || cursor === null
      ? { root: { 'replication-method': 'FULL_TABLE' }, own: { replication_method: 'FULL_TABLE' } }
      : {
          root: { 'replication-method': 'INCREMENTAL', 'replication-key': cursor },
          own: { replication_method: 'INCREMENTAL', replication_key: cursor },
        };
  const entries = objectsIn(definition, 'metadata') as readonly Metadata[];
  const root = { ...rootOf(definition), selected: true, ...method.root };
  const fields = entries
    .filter((entry) => !isRoot(entry))
    .map((entry) =>
      entry.metadata?.['inclusion'] === 'unsupported'
        ? entry
        : { ...entry, metadata: { ...entry.metadata, selected: true } },
    );
  const { schema } = definition;
  return {
    ...definition,
    selected: true,
    ...method.own,
    ...(typeof schema === 'object' && schema !== null ? { schema: { ...schema, selected: true } } : {}),
    metadata: [{ breadcrumb: [], metadata: root }, ...fields],
  };
}
