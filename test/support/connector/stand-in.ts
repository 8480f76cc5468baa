/**
 * A program that speaks the Airbyte protocol or Singer's, and has one of the faults that real connectors have. Its config
 * says which, and names the file with its records. It imports nothing: it starts in each test several times.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';

type Config = {
  /** File with an array of objects. */
  records?: string;
  /** Another such file, for all readings but the first. */
  again?: string;
  fault?: string;
  secret?: string;
  /** Where it tells how it was started. */
  tell?: string;
  key?: unknown[] | null;
  /** Field by which it lists changes: it can be asked for those since a STATE. */
  cursor?: string;
  /** Longer than it has to be. */
  padding?: string;
  /** Written as they are behind the records, before the stream is called complete. */
  lines?: string[];
};

const args = process.argv.slice(2);
const valueOf = (name: string): string | undefined => args[args.indexOf(name) + 1 || args.length];
const verb = args[0] ?? '';
const configFile = valueOf('--config');
const config = (configFile === undefined ? {} : JSON.parse(readFileSync(configFile, 'utf8'))) as Config;
const { fault = '', key = ['id'], secret = '' } = config;

function records(): Record<string, unknown>[] {
  const file = fileOfReading();
  return file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[]);
}

function fileOfReading(): string | undefined {
  if (config.again === undefined) return config.records;
  const mark = `${config.again}.begun`;
  if (existsSync(mark)) return config.again;
  writeFileSync(mark, '');
  return config.records;
}
const say = (message: unknown): void => writeAll(`${JSON.stringify(message)}\n`);

/** At once, also into a pipe that is full. */
function writeAll(text: string, to: 1 | 2 = 1): void {
  writeFileSync(to, text);
}

if (config.tell !== undefined && configFile !== undefined) {
  const mode = (statSync(configFile).mode & 0o777).toString(8);
  const told = {
    verb,
    args,
    mode,
    environment: process.env,
    folder: process.cwd(),
    files: readdirSync('.'),
    modes: readdirSync('.').map((name) => (statSync(name).mode & 0o777).toString(8)),
    state: args.includes('--state') ? readFileSync(valueOf('--state') ?? '', 'utf8') : null,
    pid: process.pid,
  };
  writeFileSync(config.tell, `${JSON.stringify(told)}\n`, { flag: 'a' });
}

const status = (text: string): void =>
  say({
    type: 'TRACE',
    trace: { type: 'STREAM_STATUS', stream_status: { stream_descriptor: { name: 'places' }, status: text } },
  });
const hang = (): void => void setInterval(() => undefined, 60_000);

function discover(): void {
  if (fault === 'refused') {
    process.stderr.write('waiting for a login\n');
    return hang();
  }
  const stream = {
    name: 'places',
    ...(fault === 'namespace' ? { namespace: 'shop' } : {}),
    json_schema: { type: 'object', properties: {} },
    supported_sync_modes: config.cursor === undefined ? ['full_refresh'] : ['full_refresh', 'incremental'],
    ...(config.cursor === undefined ? {} : { default_cursor_field: [config.cursor] }),
  };
  const other = { ...stream, name: 'other', namespace: 'public' };
  say({
    type: 'CATALOG',
    catalog: {
      streams: [
        {
          ...stream,
          source_defined_primary_key: key?.map((name) => (typeof name === 'string' ? [name] : name)) ?? [],
        },
        other,
      ],
    },
  });
}

function check(): void {
  if (fault === 'refused')
    say({
      type: 'CONNECTION_STATUS',
      connectionStatus: { status: 'FAILED', message: `no login with ${secret}` },
    });
  else say({ type: 'CONNECTION_STATUS', connectionStatus: { status: 'SUCCEEDED' } });
}

/** Records at or after the STATE; all of them without it. A listing of a table whose changes come from a log has no deleted ones. */
function changes(): Record<string, unknown>[] {
  const file = valueOf('--state');
  const { cursor } = config;
  if (cursor !== undefined && !isIncremental()) return records().filter((one) => !one['_ab_cdc_deleted_at']);
  if (file === undefined || cursor === undefined) return records();
  const state = JSON.parse(readFileSync(file, 'utf8')) as
    | { since: string }
    | [{ stream: { stream_state: { since: string } } }];
  const { since } = Array.isArray(state) ? state[0].stream.stream_state : state;
  return records().filter((record) => String(record[cursor]) >= since);
}

function isIncremental(): boolean {
  const file = valueOf('--catalog');
  return (
    file !== undefined &&
    /incremental"|INCREMENTAL/.test(
      readFileSync(file, 'utf8').replace(/"supported_sync_modes":\[[^\]]*\]/, ''),
    )
  );
}

/** The latest time of its records. */
function stateNow(): { since: string; padding?: string } {
  const times = records().map((record) => String(record[config.cursor ?? '']));
  const { padding } = config;
  return { since: times.toSorted().at(-1) ?? '', ...(padding === undefined ? {} : { padding }) };
}

function read(): void {
  say({ type: 'LOG', log: { level: 'INFO', message: `reading with ${secret}` } });
  status('STARTED');
  const all = changes();
  for (const [at, data] of all.entries()) {
    if (at === Math.floor(all.length / 2) && halfWay()) return;
    say({
      type: 'RECORD',
      record: { stream: fault === 'foreign' ? 'other' : 'places', data, emitted_at: 1 },
    });
    if (at === 0)
      say({ type: 'RECORD', record: { stream: 'other', data: { id: 'of another stream' }, emitted_at: 1 } });
  }
  const count = all.length + (['lost', 'digits'].includes(fault) ? 1 : 0);
  say({
    type: 'STATE',
    state: {
      type: 'STREAM',
      stream: {
        stream_descriptor: { name: 'places' },
        ...(isIncremental() ? { stream_state: stateNow() } : {}),
      },
      sourceStats: { recordCount: count },
    },
  });
  for (const line of config.lines ?? []) writeAll(`${line}\n`);
  if (fault === 'no rights') {
    mkdirSync('modules/inner', { recursive: true });
    writeFileSync('modules/inner/one', '');
    for (const folder of ['modules/inner', 'modules', '.']) chmodSync(folder, 0o500);
  }
  if (fault === 'incomplete') status('INCOMPLETE');
  else if (fault !== 'no status') status('COMPLETE');
  if (fault === 'exit 1') process.exitCode = 1;
  if (fault === 'session') tellOf(spawn('sleep', ['300'], { stdio: 'inherit', detached: true }));
  if (fault === 'quiet session') tellOf(spawn('sleep', ['300'], { stdio: 'ignore', detached: true }));
  if (fault === 'bare session')
    tellOf(spawn('sleep', ['300'], { stdio: 'inherit', detached: true, env: {} }));
  if (fault === 'left behind') spawn('sleep', ['300'], { stdio: 'inherit' }).unref();
}

function tellOf(child: ReturnType<typeof spawn>): void {
  child.unref();
  if (config.tell !== undefined) writeFileSync(`${config.tell}.child`, String(child.pid));
}

/** @returns whether the reading ends here */
function halfWay(): boolean {
  if (fault === 'cut') {
    writeAll('{"type": "RECORD", "record": {"stream": "places", "da');
    process.exit(0);
  }
  if (fault === 'broken') writeAll('{"type": "RECORD", "record": {"stream": "places", "da\n');
  if (fault === 'two at once')
    writeAll('warning{"type": "RECORD", "record": {"stream": "places", "data": {}}}\n');
  if (fault === 'digits')
    writeAll(
      '{"type":"RECORD","record":{"stream":"places","data":{"id":12345678901234567890,"price":1.10},"emitted_at":1}}\n',
    );
  if (fault === 'noise') writeAll('Downloading…\n');
  if (fault === 'hang in sessions') tellOf(spawn('sleep', ['300'], { stdio: 'ignore', detached: true }));
  if (fault.startsWith('hang')) hang();
  if (fault === 'killed') process.kill(process.pid, 'SIGKILL');
  if (fault === 'flood')
    for (let nth = 0; nth < 5_000; nth += 1)
      writeAll(`line ${nth} with ${secret} and password=${secret}x\n`, 2);
  if (fault === 'crash') {
    say({
      type: 'TRACE',
      trace: {
        type: 'ERROR',
        error: { message: `the source said 503 to ${secret}`, internal_message: 'in detail' },
      },
    });
    status('INCOMPLETE');
    process.exit(1);
  }
  return fault.startsWith('hang');
}

function tap(): void {
  const own = fault === 'foreign' ? 'others' : 'places';
  if (args.includes('--discover')) {
    const metadata = [
      {
        breadcrumb: [],
        metadata: {
          'table-key-properties': key ?? [],
          ...(config.cursor === undefined ? {} : { 'replication-key': config.cursor }),
        },
      },
      { breadcrumb: ['properties', 'name'], metadata: { inclusion: 'available' } },
    ];
    const stream = {
      tap_stream_id: 'public-places',
      stream: 'places',
      schema: { type: 'object', properties: {} },
      metadata,
    };
    writeAll(`${JSON.stringify({ streams: [stream] }, undefined, 2)}\n`);
    return;
  }
  const catalog = JSON.parse(readFileSync(valueOf('--catalog') ?? '', 'utf8')) as {
    streams: { metadata: { metadata: Record<string, unknown> }[] }[];
  };
  const isSelected = catalog.streams[0]?.metadata.every(({ metadata }) => metadata['selected'] === true);
  if (fault === 'nothing' || !isSelected) return;
  say({ type: 'SCHEMA', stream: 'places', schema: {}, key_properties: key });
  for (const record of changes()) say({ type: 'RECORD', stream: own, record });
  for (const line of config.lines ?? []) writeAll(`${line}\n`);
  if (fault === 'late' || fault === 'held') {
    const late = JSON.stringify({ type: 'RECORD', stream: 'places', record: { id: 'late' } });
    spawn('sh', ['-c', `sleep ${fault === 'late' ? 1 : 300}; echo '${late}'`], { stdio: 'inherit' }).unref();
  }
  if (fault === 'batch') say({ type: 'BATCH', stream: 'places', manifest: [] });
  say({ type: 'STATE', value: isIncremental() ? stateNow() : {} });
  if (fault === 'exit 1') process.exitCode = 1;
}

if (config.records !== undefined && !existsSync(config.records))
  throw new Error('the file of the records is missing');
if (verb === 'spec')
  say({
    type: 'SPEC',
    spec: { connectionSpecification: { required: ['records'], properties: { records: { type: 'string' } } } },
  });
else if (verb === 'check') check();
else if (verb === 'discover') discover();
else if (verb === 'read') read();
else tap();
