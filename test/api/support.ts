/** The api over its own database, Temporal namespace and params files, with steps played by the test. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createApp } from '../../src/api/app.ts';
import type { ApiDeps } from '../../src/api/context.ts';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { signToken } from '../../src/api/auth/tokens.ts';
import { readConfig } from '../../src/config/config.ts';
import { claimJob, findClaimable } from '../../src/db/jobs/claim.ts';
import { listenForChanges } from '../../src/db/changes.ts';
import { connect } from '../../src/db/connect.ts';
import { beginStep, endStep } from '../../src/db/jobs/steps.ts';
import { finishJob } from '../../src/db/jobs/finish.ts';
import { addUser } from '../../src/db/access/users.ts';
import type { JobOutcome } from '../../src/domain/outcome.ts';
import { unlimited } from '../../src/domain/permission.ts';
import { LiveParams } from '../../src/job-params/live-params.ts';
import { createLog } from '../../src/log.ts';
import { makeReportToken } from '../../src/auth/report-token.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { createDatabase } from '../support/database.ts';
import { createNamespace } from '../support/temporal.ts';

export const SECRET = 'a secret of at least thirty-two characters';
export const OLD_SECRET = 'the previous secret of at least thirty-two characters';
export const PASSWORD = 'correct horse';

const OPTIONS = '-n 1000 -c 1';
const FILES: Record<string, string[]> = {
  'dev/alpha-sync': ['TARGET=alpha', 'ACTION=sync'],
  'dev/alpha-delta': ['TARGET=alpha', 'ACTION=delta'],
  'dev/alpha-delete': ['TARGET=alpha', 'ACTION=delete'],
  'dev/alpha-diff': ['TARGET=alpha', 'ACTION=diff', 'MAM_MAIN_QUERY=type:video'],
  'dev/beta-sync': ['TARGET=beta', 'ACTION=sync', 'SCHEDULE=every 60s'],
  'dev/outside-sync': ['TARGET=outside', 'ACTION=sync', 'RUNNER=external'],
  'dev/nosync-delta': ['TARGET=nosync', 'ACTION=delta'],
  'qas/hetarchief_video-sync': ['TARGET=archiefvideo', 'ACTION=sync', 'TIMEOUT=90m'],
  'qas/alpha-sync': ['TARGET=alpha', 'ACTION=sync', 'SCHEDULE=0 1 * * *'],
};

function datasets(...operations: string[]): Record<string, string[]> {
  const common = ['TARGET=datasets', 'RUNNER=external', 'TARGET_PATTERN=[A-Z][A-Z0-9_]*'];
  return Object.fromEntries(
    operations.map((name) => [`dev/datasets-${name}`, [...common, `ACTION=${name}`, `PARAMETERS=${name}`]]),
  );
}

/** The operations of microdata's executor, on any dataset and on the datastore as a whole. */
export const MICRODATA: Record<string, string[]> = {
  ...datasets('ADD', 'REMOVE', 'SET_STATUS'),
  'dev/datastore-BUMP': ['TARGET=DATASTORE', 'ACTION=BUMP', 'RUNNER=external', 'PARAMETERS=BUMP'],
};

async function writeParams(
  files: Record<string, string[]>,
  options: Record<string, string>,
): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'syncrator-params-'));
  for (const [name, lines] of Object.entries(files)) {
    const [env = '', file = ''] = name.split('/');
    await mkdir(path.join(dir, env), { recursive: true });
    const common = [
      `ENV=${env}`,
      `ACTION_NAME=${file.split('-')[1]}`,
      'IS_TAG=latest',
      `OPTIONS=${options[name] ?? OPTIONS}`,
    ];
    await writeFile(path.join(dir, env, `${file}.public_params`), [...common, ...lines].join('\n'));
  }
  return dir;
}

/** Time of a login by a user who may have been created within this millisecond. */
export function justNow(): number {
  return (Date.now() + 1) / 1000;
}

export type Asked = {
  readonly json?: unknown;
  readonly body?: string | FormData | URLSearchParams | Uint8Array<ArrayBuffer>;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
};

export type Answered = { status: number; headers: Headers; text: string; body: any };

/**
 * @param options.through changes the address of Postgres, for example to that of a proxy
 * @param options.files further declared files beside those that every test has
 * @param options.options OPTIONS of single files, if they differ from the default
 */
export async function setup(
  options: {
    through?: (url: string) => string;
    env?: Record<string, string>;
    temporal?: string;
    files?: Record<string, string[]>;
    options?: Record<string, string>;
    accountWaitMs?: number;
  } = {},
) {
  const database = await createDatabase({ migrated: true });
  const namespace = options.temporal
    ? { address: options.temporal, namespace: 'default' }
    : await createNamespace();
  const dir = await writeParams({ ...FILES, ...options.files }, options.options ?? {});
  const config = readConfig({
    DATABASE_URL: options.through?.(database.url) ?? database.url,
    TEMPORAL_ADDRESS: namespace.address,
    TEMPORAL_NAMESPACE: namespace.namespace,
    TEMPORAL_UI_URL: 'http://temporal.test:8233/',
    SYNCRATOR_SECRET: `${SECRET},${OLD_SECRET}`,
    JOB_PARAMS: dir,
    ...options.env,
  });
  const db = connect(config.databaseUrl, { max: 20, applicationName: 'test-api', onError: () => {} });
  const temporal = connectTemporal(config.temporal);
  if (!options.temporal) await ensureSearchAttributes(temporal);
  const liveParams = await LiveParams.open(dir);
  const { params } = liveParams;
  const stopping = new AbortController();
  const log = createLog({ name: 'test', level: 'silent' });
  const changes = listenForChanges({ url: config.databaseUrl, onError: () => {} });
  const deps: ApiDeps = {
    config,
    db,
    temporal,
    params,
    liveParams,
    log,
    changes,
    stopping: stopping.signal,
    ...(options.accountWaitMs === undefined ? {} : { accountWaitMs: options.accountWaitMs }),
  };
  const app = createApp(deps);
  const first = { username: 'admin', passwordHash: await hashPassword(PASSWORD), grant: unlimited('admin') };
  await addUser(db, first, { principal: 'test' });
  const token = await signToken(config.secrets, { sub: 'admin', authTime: justNow() });

  const raw = (method: string, where: string, asked: Asked = {}) => {
    const headers = new Headers(asked.headers);
    const bearer = asked.token === undefined ? token : asked.token;
    if (bearer !== null) headers.set('authorization', `Bearer ${bearer}`);
    if (asked.json !== undefined) headers.set('content-type', 'application/json');
    const body = asked.json === undefined ? asked.body : JSON.stringify(asked.json);
    const signal = asked.signal ? { signal: asked.signal } : {};
    return app.request(where, { method, headers, ...signal, ...(body === undefined ? {} : { body }) });
  };
  const call = async (method: string, where: string, asked: Asked = {}): Promise<Answered> => {
    const response = await raw(method, where, asked);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : null,
    };
  };
  return {
    app,
    deps,
    db,
    token,
    stopping,
    raw,
    call,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await changes.close();
      await db.destroy();
      await temporal.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
export type Api = Awaited<ReturnType<typeof setup>>;

/** Starts a job and claims it as a workflow would. */
export async function claimed(api: Api, where = '/sync/alpha/dev', asked: Asked = {}) {
  const { body } = await api.call('POST', where, asked);
  return await claim(api, { id: body.job_id, env: body.ENV, target: body.TARGET });
}

/** Claims a job that waits, as a workflow would. */
export async function claim(api: Api, { id, env, target }: { id: number; env: string; target: string }) {
  const seen = await findClaimable(api.db, { env, target });
  if (!seen) throw new Error(`job ${id} cannot be claimed`);
  const runId = randomUUID();
  await claimJob(api.db, seen, { runId, runStartedAt: new Date() }, false);
  return {
    id,
    uid: seen.uid,
    runId,
    begin: async (step = 0, attempt = 1) => {
      const ref = { jobId: id, step, attempt };
      await beginStep(api.db, { ...ref, runId, action: 'sync', name: `test-${id}-${step}-${attempt}` });
      return { ref, token: makeReportToken([SECRET], { uid: seen.uid, step, attempt }) };
    },
    end: (ref: { jobId: number; step: number; attempt: number }) =>
      endStep(api.db, ref, { kind: 'completed', diagnosis: null }),
    finish: (outcome: JobOutcome = { kind: 'completed' }) => finishJob(api.db, { jobId: id, runId, outcome }),
  };
}
