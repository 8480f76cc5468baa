/**
 * Checks that only permitted callers get in, and that no secret gets out: every route with every bad credential,
 * and secrets on every way.
 */
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { createApp } from '../../../src/api/app.ts';
import { EXAMPLE_PLAN } from '../../../src/api/plans/plan-schema.ts';
import { hashPassword } from '../../../src/api/auth/passwords.ts';
import { readConfig } from '../../../src/config/config.ts';
import { addUser, changeUser } from '../../../src/db/access/users.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { LiveParams } from '../../../src/job-params/live-params.ts';
import { createLog } from '../../../src/log.ts';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { ALLOWED as RIGHTS, listed, workerAccount } from '../../support/can-i.ts';
import { type Asker, createAsker } from '../access/ask.ts';
import { findCanaries } from '../access/canaries.ts';
import { badCredentials, badServiceTokens, endedLogins } from '../access/credentials.ts';
import { checkLooks } from '../access/looks.ts';
import { type JobOf, live, TARGETS } from '../access/life.ts';
import { commandLines, everyPlace } from '../access/places.ts';
import { fill, refuseAll, refuseReports } from '../access/refusals.ts';
import { admitRoles, makePeople, refuseRoles } from '../access/roles.ts';
import { type Operation, readOperations } from '../operations.ts';
import type { Program } from '../program.ts';
import { type Rig, startRig } from '../rig/rig.ts';
import { tokenIn } from '../../support/login.ts';

/** Public routes, written by hand; every other route requires a token. */
const PUBLIC = [
  'GET /',
  'GET /assets/{file}',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/start.js',
  'GET /docs/swagger-ui.css',
  'GET /docs/swagger-ui-bundle.js',
  'GET /docs/favicon-32x32.png',
  'GET /health/live',
  'GET /health/ready',
  'POST /login',
  // This route requires GITLAB_HOOK_SECRET.
  'POST /hooks/gitlab',
];
const CANARIES = 20;

export const access: Program = {
  name: 'access',
  summary:
    'every route with every bad credential, method and role; 20 secrets on every way; the rights of the Role',
  async run({ say }) {
    const secrets = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    await using rig = await startRig({
      targets: TARGETS,
      environment: {
        SYNCRATOR_SECRET: secrets.join(','),
        LOG_LEVEL: 'debug',
        ITEM_BANK: 'running/dev',
        ACCOUNT: 'running/dev',
      },
      say,
    });
    const operations = await readOperations(rig.urls[0] ?? '');
    const violations = await checkTable(rig, operations);
    const asker = createAsker(rig.urls);
    say('passing secrets through the system');
    const { jobs, canaries, token } = await live(rig, asker, { secrets });
    const jobOf = (name: string) => jobs.get(name) ?? { id: 0, uid: '' };
    for (const [target, { id }] of jobs) await tellOf(rig.db, id, target);
    const values = {
      id: String(jobOf('running').id),
      action: 'sync',
      target: 'running',
      name: 'running',
      env: 'dev',
      item: '1811',
      schedule: 'dev.other.sync',
    };

    say('calling with every bad credential');
    const tokenOf = ({ uid }: JobOf, attempt = 1, step = 0, by = secrets) =>
      makeReportToken(by, { uid, step, attempt });
    await addUser(
      rig.db,
      { username: 'mallory', passwordHash: await hashPassword('x'.repeat(12)), grant: unlimited('admin') },
      { principal: 'test' },
    );
    await changeUser(rig.db, 'mallory', { disabled: true }, { principal: 'test' });
    const credentials = await badCredentials({
      secret: secrets[0] ?? '',
      disabled: 'mallory',
      reportTokens: {
        'the report token of another job': tokenOf(jobOf('other')),
        'the report token of an ended job': tokenOf(jobOf('done')),
      },
      serviceTokens: await badServiceTokens(rig.db),
      endedLogins: await endedLogins(rig.db, ...loginsBy(asker)),
    });
    const refused = await refuseAll({ asker, db: rig.db, operations, credentials, values });
    violations.push(...refused.violations);
    const running = jobOf('running');
    const cases = [
      { name: "another job's token", job: running, token: tokenOf(jobOf('other')), status: 403 },
      { name: 'a token of another secret', job: running, token: tokenOf(running, 1, 0, ['x']), status: 403 },
      { name: 'a token of an unknown step', job: running, token: tokenOf(running, 1, 1), status: 404 },
      { name: 'a token of a future attempt', job: running, token: tokenOf(running, 2), status: 404 },
      { name: "an old attempt's token", job: jobOf('twice'), token: tokenOf(jobOf('twice')), status: 410 },
      ...['done', 'failed', 'gone', 'refused'].map((name) => ({
        name: `the token of a job that is ${name}`,
        job: jobOf(name),
        token: tokenOf(jobOf(name)),
        status: 410,
      })),
      { name: "a user's token", job: running, token, status: 401 },
    ];
    violations.push(
      ...(await refuseReports(
        asker,
        cases.map((one) => ({ ...one, job: one.job.id })),
      )),
    );

    say('calling by HEAD and OPTIONS');
    const looks = await checkLooks({ asker, operations, token, values });
    violations.push(...looks.violations);

    say('calling with every role, outside every limit');
    const people = await makePeople(rig.db, secrets);
    const beyond = await refuseRoles({ asker, db: rig.db, operations, people, values });
    violations.push(...beyond.violations);

    say('checking the Role');
    const account = workerAccount(rig.cluster, rig.ground);
    const may = await account.mayDo();
    if (String(may) !== String(listed(RIGHTS))) violations.push(`the Role allows ${may.join(', ')}`);
    const elsewhere = await account.mayDo('default');
    if (elsewhere.length > 0) violations.push(`the Role allows elsewhere: ${elsewhere.join(', ')}`);

    say('looking for the secrets');
    const seen = [commandLines()];
    // Else it would run as soon as its target is free.
    const { status: unqueued } = await asker.ask('DELETE', '/next/running/dev', { token });
    if (unqueued !== 200) violations.push(`DELETE /next/running/dev with a good token: ${unqueued}`);
    for (const one of jobs.values()) await asker.ask('DELETE', `/jobs/${one.id}`, { token });
    // Reads everything as an admin: the answers to a good token are what the bad ones were refused.
    for (const { method, path } of operations.filter(
      (one) => one.method === 'GET' && one.access !== 'report',
    ))
      for (const { id } of jobs.values()) {
        const route = fill(path, { ...values, id: String(id) });
        const { status } = await asker.ask(method, route, { token });
        // It was cancelled above.
        if (status === 404 && path.startsWith('/next/')) continue;
        if (status !== 200) violations.push(`${method} ${route} with a good token: ${status}`);
      }
    // Last, since it changes much; what was cancelled above stays cancelled.
    say('calling with every role, within every limit');
    const within = await admitRoles({ asker, operations, people, values });
    violations.push(...within.violations);
    seen.push(commandLines());
    const places = await everyPlace(rig, asker.answers());
    places.set('command lines', seen.join('\n'));
    violations.push(...findCanaries(canaries, places));
    return {
      n: canaries.length,
      expected: CANARIES,
      violations,
      requests: refused.n + looks.n + beyond.n + within.n + cases.length,
      by_role: { refused: beyond.n, admitted: within.n },
      credentials: credentials.length,
      routes: operations.length,
      answers: asker.answers().length,
      places: places.size,
      searched_mib: Math.round([...places.values()].reduce((sum, text) => sum + text.length, 0) / 2 ** 20),
      canaries: canaries.length,
    };
  },
};

/** A login and its renewal, as the product gives them. */
function loginsBy(asker: Asker) {
  const logIn = async (username: string, password: string) => {
    const { status, text } = await asker.ask('POST', '/login', { json: { username, password } });
    return tokenIn(status, text);
  };
  const renew = async (token: string) => {
    const { status, text } = await asker.ask('POST', '/login/renew', { token });
    return tokenIn(status, text);
  };
  return [logIn, renew] as const;
}

/** The document lists every route, and as public only those written here. */
async function checkTable(rig: Rig, operations: readonly Operation[]): Promise<string[]> {
  const config = readConfig(rig.environment);
  const liveParams = await LiveParams.open(config.jobParamsDir);
  const app = createApp({
    config,
    db: rig.db,
    temporal: rig.temporal,
    params: liveParams.params,
    liveParams,
    log: createLog({ name: 'faults', level: 'silent' }),
    changes: { subscribe: () => () => undefined, close: () => Promise.resolve() },
    stopping: AbortSignal.abort(),
  });
  const told = operations.map(({ method, path }) => `${method} ${path}`);
  const real = app.routes
    .filter(({ method, path }) => method !== 'ALL' && !path.includes('*'))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
  const open = operations
    .filter((one) => one.access === 'public')
    .map(({ method, path }) => `${method} ${path}`);
  return [
    ...[...new Set(real)]
      .filter((one) => !told.includes(one) && !PUBLIC.includes(one))
      .map((one) => `${one} is in no document`),
    ...open.filter((one) => !PUBLIC.includes(one)).map((one) => `${one} is unexpectedly public`),
    ...told.filter((one) => !real.includes(one)).map((one) => `${one} is documented but missing`),
  ];
}

/** What a job of each kind has told, with its id: every path with an id, and with a target, names something. */
async function tellOf(db: Rig['db'], id: number, target: string): Promise<void> {
  await holdLoss(db, id, target);
  await sql`INSERT INTO stories (job_id, env, target, id, story)
    VALUES (${id}, 'dev', ${target}, ${String(id)}, ${STORY}::jsonb)`.execute(db);
  await sql`INSERT INTO stories (job_id, env, target, id, story)
    SELECT -${id}::integer, 'dev', 'running', ${String(id)}, ${STORY}::jsonb WHERE ${target} <> 'running'`.execute(
    db,
  );
  await sql`INSERT INTO plans (job_id, env, target, action_name, action, digest, live, listed, added, updated, removed,
      held, kept, shown)
    VALUES (${id}, 'dev', ${target}, 'sync', 'sync', ${EXAMPLE_PLAN.digest}, 0, 0, 0, 0, 0, 0, 0, '{0,0,0,0}')`.execute(
    db,
  );
  // A free target would start it at once.
  if (target === 'running')
    await sql`INSERT INTO next_starts (env, target, uid, request, "trigger", requested_by, behind)
      SELECT env, target, gen_random_uuid(), jsonb_build_object('runner', runner, 'steps', steps_spec, 'parameters',
        jsonb_build_object('action_name', action_name, 'action', action, 'is_tag', is_tag, 'options', options,
          'mam_main_query', mam_main_query)), 'api', 'nobody', id FROM jobs WHERE id = ${id}`.execute(db);
}

const STORY = JSON.stringify({
  live: null,
  kept: null,
  last_seen: null,
  begins: null,
  older: 0,
  entries: [],
});

/** A loss with the id of a job, so that every path with an id names something. */
async function holdLoss(db: Rig['db'], id: number, target: string): Promise<void> {
  await sql`
    WITH upload AS (
      INSERT INTO loss_uploads (job_id, step, attempt, complete, stored) VALUES (${id}, 9, 9, true, 1) RETURNING id
    ), record AS (
      INSERT INTO loss_records (upload_id, id, missing_since) SELECT id, 'a', now() FROM upload
    )
    INSERT INTO losses (id, env, target, status, reason, job_id, started_by, caused_by, upload_id, count, live, pinned, digest,
      born_at, changed_at)
    OVERRIDING SYSTEM VALUE
    SELECT ${id}, 'dev', ${target}, 'waiting', 'over_threshold', ${id}, 'nobody', '{nobody}', upload.id, 1, 9, 0, 'none', now(), now()
    FROM upload`.execute(db);
}
