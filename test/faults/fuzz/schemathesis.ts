/** Schemathesis: installs it, lets it send requests by our own OpenAPI document, and reads its findings. */
import { execFile } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { cacheDir } from '../../../src/embedded/temporal-binary.ts';

const VERSION = '4.32.5';
const CONFIG = path.join(import.meta.dirname, 'schemathesis.toml');
const REPORT = '/jobs/{id}/report';
const ROUND_MS = 240_000;
const run = promisify(execFile);

/**
 * The program in its own virtual environment, made when first needed.
 * @throws Error that names what to install
 */
export async function schemathesis(say: (line: string) => void): Promise<string> {
  const folder = path.join(cacheDir(), `schemathesis-${VERSION}`);
  const program = path.join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  say(`getting schemathesis ${VERSION} from PyPI, once, into ${folder}`);
  await mkdir(path.dirname(folder), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: 120_000 });
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `schemathesis==${VERSION}`,
    ];
    await run(path.join(folder, 'bin', 'python'), pip, { timeout: 300_000 });
  } catch (cause) {
    // Removes a half-made environment, which would be taken for a whole one.
    await rm(folder, { recursive: true, force: true });
    const { stderr = '', message = '' } = cause as { stderr?: string; message?: string };
    throw new Error(
      `cannot install schemathesis: it needs Python 3.10 or later with venv and pip (Debian: apt install python3-venv), and access to PyPI: ${(stderr || message).trim().slice(-400)}`,
      { cause },
    );
  }
  return program;
}

export type Round = {
  readonly requests: number;
  readonly statuses: ReadonlyMap<number, number>;
  /** Milliseconds until the slowest answer. */
  readonly slowestMs: number;
  readonly violations: readonly string[];
};

/** Runs one round of requests, chosen by the seed. */
export async function fuzzRound(
  program: string,
  of: {
    readonly url: string;
    readonly seed: number;
    readonly phases: string;
    readonly examples: number;
    /** Sends only reports of this running job; all other rounds leave reports out. */
    readonly reportOf: number | undefined;
    /** Values of TOKEN and REPORT_TOKEN in the config. */
    readonly environment: Readonly<Record<string, string>>;
  },
): Promise<Round> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-schemathesis-'));
  const report = path.join(folder, 'events.ndjson');
  const document = path.join(folder, 'openapi.json');
  await writeFile(document, JSON.stringify(await readDocument(of.url, of.reportOf)));
  const args = [
    ['--config-file', CONFIG, 'run', document, '--url', of.url, '--workers', '1', '--no-color'],
    [of.reportOf === undefined ? '--exclude-path' : '--include-path', REPORT],
    ['--seed', String(of.seed), '--phases', of.phases, '--max-examples', String(of.examples)],
    ['--report', 'ndjson', '--report-ndjson-path', report],
  ].flat();
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...of.environment };
  try {
    await run(program, args, {
      cwd: folder,
      env,
      timeout: ROUND_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 28,
    }).catch((error: { code?: number; stdout?: string; stderr?: string }) => {
      // 1: it found something; the report has it.
      if (error.code !== 1 || !existsSync(report))
        throw new Error(`schemathesis: ${`${error.stdout}${error.stderr}`.slice(-2_000)}`, {
          cause: error,
        });
    });
    return await readReport(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Parameter = { name: string; schema: object };
type Document = { paths: Record<string, Record<string, { parameters?: Parameter[] }>> };

/** Our document; for a round of reports, reduced to the job that takes them. */
async function readDocument(url: string, reportOf: number | undefined): Promise<object> {
  const answer = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(10_000) });
  const document = (await answer.json()) as Document;
  const logs = document.paths['/jobs/{id}/logs']?.['get'];
  // It would follow the log of a held job for ever; hostile.ts follows logs.
  if (logs) logs.parameters = logs.parameters?.filter(({ name }) => name !== 'follow') ?? [];
  // Streams that never end by themselves; hostile.ts opens them. One of the account's routes waits for the end of a
  // job, on purpose.
  for (const path of ['/events', '/jobs/{id}/events', '/api/syncall']) delete document.paths[path];
  if (reportOf !== undefined)
    for (const parameter of document.paths[REPORT]?.['put']?.parameters ?? [])
      if (parameter.name === 'id') parameter.schema = { type: 'integer', enum: [reportOf] };
  return document;
}

type Scenario = {
  recorder: {
    label: string;

    checks?: Record<string, { name: string; status: string; failure_info?: { failure: Failure } }[]>;
    interactions?: Record<string, Interaction>;
  };
};
type Failure = { title: string; message: string };
type Interaction = {
  request: { method: string; uri: string; body?: { $base64?: string } | null };
  response: { status_code: number; elapsed: number; content?: { $base64?: string } } | null;
};

async function readReport(file: string): Promise<Round> {
  const statuses = new Map<number, number>();
  const violations: string[] = [];
  let requests = 0;
  let slowestMs = 0;
  for await (const line of readline.createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const event = JSON.parse(line) as Record<string, unknown>;
    // It could not do its work: a request timed out, or a schema was unusable.
    for (const kind of ['NonFatalError', 'FatalError', 'Interrupted'])
      if (event[kind] !== undefined) violations.push(`${kind}: ${JSON.stringify(event[kind]).slice(0, 600)}`);
    const scenario = event['ScenarioFinished'] as Scenario | undefined;
    if (!scenario) continue;
    const { checks = {}, interactions = {}, label } = scenario.recorder;
    for (const { response, request } of Object.values(interactions)) {
      requests += 1;
      const status = response?.status_code ?? 0;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      slowestMs = Math.max(slowestMs, Math.round((response?.elapsed ?? 0) * 1_000));
      if (!response) violations.push(`no answer: ${request.method} ${request.uri.slice(0, 300)}`);
    }
    for (const [id, done] of Object.entries(checks))
      for (const { name, failure_info: info } of done.filter(({ status }) => status === 'failure'))
        violations.push(`${label}: ${name}: ${told(info?.failure)}; ${shown(interactions[id])}`);
  }
  return { requests, statuses, slowestMs, violations };
}

function told(failure: Failure | undefined): string {
  return `${failure?.title}: ${failure?.message}`.replaceAll(/\s+/g, ' ').slice(0, 400);
}

/** The request and its answer, for repeating it by hand. */
function shown(interaction: Interaction | undefined): string {
  if (!interaction) return 'in an unknown request';
  const { request, response } = interaction;
  const text = (of: { $base64?: string } | null | undefined) =>
    Buffer.from(of?.$base64 ?? '', 'base64')
      .toString()
      .slice(0, 400);
  return `${request.method} ${request.uri} ${text(request.body)} -> ${response?.status_code} ${text(response?.content)}`;
}
