/**
 * `connector discover`: runs the connector of a target on this machine, by the sync program, and shows what it takes to
 * synchronise one of its streams.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readTargetPlaces } from '../config/config.ts';
import { didYouMean } from '../domain/closest-match.ts';
import { settingsFile } from '../domain/names.ts';
import { runSyncProgram } from '../runner/process/check-program.ts';
import { CliFailure } from '../terminal/failure.ts';
import { type Format, print, shown, tableOf } from '../terminal/output.ts';
import { paramsLines } from './target-add/new-target.ts';
import { writeAll } from './target-add/write-target.ts';

type Asked = {
  readonly target: string;
  readonly env: string;
  readonly settings?: string;
  readonly stream?: string;
  readonly write: boolean;
};

/** As src/job/discover.ts writes it. */
type Found = {
  readonly connector?: string;
  readonly spec?: Spec | null;
  readonly streams?: readonly Stream[];
  readonly fault?: string;
};
type Spec = {
  readonly required?: readonly string[];
  readonly properties?: Readonly<
    Record<string, { type?: unknown; description?: string; airbyte_secret?: boolean }>
  >;
};
type Stream = {
  readonly stream: string;
  readonly primary_key: readonly string[] | null;
  readonly updated_at: string | null;
  readonly fields: readonly string[];
};

const MOST_LENGTH = 100;
const NAME = /^[a-z0-9][-_a-z0-9]{0,39}$/;

/** @throws CliFailure after all findings are printed, if the connector has named no streams */
export async function discoverConnector(format: Format, asked: Asked): Promise<void> {
  const { target, env, settings, stream, write } = asked;
  if (!NAME.test(target) || !NAME.test(env))
    throw new CliFailure(`${NAME.test(target) ? env : target} is not a name: expected a-z, 0-9, - and _`);
  if (write && stream === undefined) throw new CliFailure('--write needs --stream');
  const { jobParamsDir, dataDir } = readTargetPlaces();
  const key = { target, env };
  const { output, end } = await runSyncProgram({
    key,
    argv: ['connector'],
    environment: {},
    dataDir,
    settings,
    json: true,
  });
  if (output === '')
    throw new CliFailure(`the connector was not asked: the sync program ended with ${String(end)}`);
  const found = JSON.parse(output) as Found;
  if (found.streams === undefined) {
    if (format !== 'table' || found.spec) print(format, found, () => shown(formOf(found)));
    throw new CliFailure(found.fault ?? 'the connector has named no streams');
  }
  if (stream === undefined) return print(format, found, () => shown(`${formOf(found)}${streamsOf(found)}`));
  const plan = planOf(found.streams, { ...key, stream });
  const written = write ? await writeMissing(plan.params, path.join(jobParamsDir, env)) : [];
  const place = settings ?? path.join(dataDir, settingsFile(key));
  print(format, { ...plan, written }, () =>
    shown([...wordsOf(plan, place), ...written.map((file) => `# written: ${file}`)].join('\n')),
  );
}

/** The fields of CONNECTOR_CONFIG. */
function formOf({ connector = 'the connector', spec }: Found): string {
  const fields = Object.entries(spec?.properties ?? {});
  if (fields.length === 0) return '';
  const rows = fields.map(([name, { type, description = '', airbyte_secret: isSecret }]) => [
    name,
    [type].flat().map(String).join(' or '),
    [spec?.required?.includes(name) ? 'required' : '', isSecret ? 'secret' : ''].filter(Boolean).join(', '),
    cut(description.replaceAll(/\s+/g, ' ')),
  ]);
  return `CONNECTOR_CONFIG of ${connector}:\n${tableOf(['FIELD', 'TYPE', '', 'MEANING'], rows, '')}\n\n`;
}

function cut(text: string): string {
  return text.length > MOST_LENGTH ? `${text.slice(0, MOST_LENGTH)}…` : text;
}

function streamsOf({ streams = [] }: Found): string {
  const rows = streams.map(({ stream, primary_key: key, updated_at: time }) => [
    stream,
    key?.join(', ') ?? 'none: set SOURCE_ID',
    time ?? '',
  ]);
  return tableOf(['STREAM', 'PRIMARY KEY', 'UPDATED AT'], rows, 'the connector has no streams');
}

type Plan = { readonly params: Readonly<Record<string, string>>; readonly settings: readonly string[] };

/** @throws CliFailure for an unknown stream */
function planOf(streams: readonly Stream[], of: { target: string; env: string; stream: string }): Plan {
  const { target, env, stream: name } = of;
  const stream = streams.find((one) => one.stream === name);
  if (stream === undefined) {
    const names = streams.map((one) => one.stream);
    throw new CliFailure(
      `the connector has no stream ${name}${didYouMean(name, names)}; it has ${names.join(', ')}`,
    );
  }
  const { primary_key: key, updated_at: time, fields } = stream;
  return {
    // Of a connector a diff would read the whole stream twice.
    params: {
      [`${target}-sync.public_params`]: `${paramsLines({ env, target }, 'sync', '-n 5000').join('\n')}\n`,
    },
    settings: [
      `CONNECTOR_STREAM=${name}`,
      ...(key === null ? [`# the fields that identify a record, of ${fields.join(', ')}`, 'SOURCE_ID='] : []),
      ...(time === null ? [] : [`SOURCE_UPDATED_AT=${time}`]),
    ],
  };
}

function wordsOf({ params, settings }: Plan, place: string): string[] {
  return [
    ...Object.entries(params).map(([name, text]) => `# ${name}\n${text}`),
    `# add to ${place}, with the settings of the sink`,
    ...settings,
  ];
}

/** @returns the files that did not exist before */
async function writeMissing(params: Plan['params'], folder: string): Promise<string[]> {
  const files = Object.entries(params).map(([name, text]) => ({
    path: path.join(folder, name),
    text,
    isSecret: false,
  }));
  const missing = files.filter((file) => !existsSync(file.path));
  await writeAll(missing);
  return missing.map((file) => file.path);
}
