/** The stage of the sabotage suite: the whole product, one sink server, and a lying source for each target. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { addUser } from '../../../src/db/access/users.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { type FakeSource, someRows, startFakeSource } from '../../job/support/fake-source.ts';
import { paramsFile } from '../../support/params-files.ts';
import { SECRET, startSystem, type System } from '../../support/system.ts';

/** A real server that keeps the copies. */
export type SinkServer = {
  /** OPTIONS of a sync of this target. */
  syncOptions(target: string): string;
  /** Makes the place of a target. @returns its settings */
  prepare(target: string): Promise<Record<string, string>>;
  /** id -> name, as readers see it. */
  names(target: string): Promise<Record<string, string>>;
  /** Keeps the next switch to a loaded listing waiting until `release`. */
  pauseSwitch(target: string): Promise<{ reached(): Promise<void>; release(): Promise<void> }>;
  /** Changes the columns, mapping or schema so that `name` must be a number. @returns the settings for that */
  misfit(target: string): Promise<Record<string, string>>;
  stop(): Promise<void>;
};

export const LIVE = 50;

export type Ran = {
  readonly id: number;
  readonly status: string;
  readonly held: number | null;
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  readonly code: string | null;
};

type Answer = { readonly status: number; readonly body: unknown };
type JobAnswer = {
  readonly id: number;
  readonly status: string;
  readonly held: number | null;
  readonly diagnosis: { readonly code: string } | null;
  readonly progress: { readonly added: number; readonly updated: number; readonly deleted: number } | null;
};

export type Loss = {
  readonly id: number;
  readonly count: number;
  readonly digest: string;
  readonly reason: string;
};

export type Actor = 'ada' | 'bob' | 'eve';

export type Scene = {
  readonly source: FakeSource;
  /** Rewrites the settings of the target. */
  set(more: Record<string, string>): void;
  lose(...ids: string[]): void;
  add(id: string): void;
  /** Runs an action as ada. */
  run(action: string, body?: object): Promise<Ran>;
  ended(id: number): Promise<Ran>;
  /** Starts it without waiting. @returns the id of the job */
  start(action: string): Promise<number>;
  names(): Promise<string[]>;
  loss(): Promise<Loss | null>;
  approve(loss: Loss, by: Actor): Promise<Answer>;
  keep(loss: Loss, by: Actor, ids: readonly string[]): Promise<Answer>;
  /** Up to when the removals of the target are fresh. */
  fresh(): Promise<string | null>;
  pauseSwitch(): ReturnType<SinkServer['pauseSwitch']>;
  misfit(): Promise<void>;
  /** Ends the program of the target as the kernel would. */
  killProgram(): void;
};

export type Stage = AsyncDisposable & { scene(target: string): Promise<Scene> };

export const idOf = (number: number): string => `r${String(number).padStart(5, '0')}`;
/** r00001 and so on. */
export const firstIds = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, at) => idOf(from + at));

export async function setStage(
  targets: readonly string[],
  startSink: () => Promise<SinkServer>,
): Promise<Stage> {
  await using undo = new AsyncDisposableStack();
  const sink = await startSink();
  undo.defer(() => sink.stop());
  const params = targets.flatMap((target) =>
    (['sync', 'delta', 'delete'] as const).map((action) =>
      paramsFile({
        target,
        action,
        command: null,
        ...(action === 'sync' ? { options: sink.syncOptions(target) } : {}),
      }),
    ),
  );
  const system = undo.use(await startSystem({ params }));
  await Promise.all([system.startApi(), system.startWorker()]);
  const actors = await addActors(system);
  const sources: FakeSource[] = [];
  undo.defer(() => Promise.all(sources.map((source) => source.close())).then(() => undefined));
  const kept = undo.move();
  return {
    async scene(target) {
      const source = await startFakeSource();
      sources.push(source);
      source.put(...someRows(LIVE));
      const settings = { SOURCE: 'ndjson', SOURCE_URL: source.url, ...(await sink.prepare(target)) };
      return sceneOf({ system, sink, source, target, settings, actors });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function addActors({ db }: System): Promise<Readonly<Record<Actor, string>>> {
  const tokens: Partial<Record<Actor, string>> = {};
  for (const username of ['ada', 'bob', 'eve'] as const) {
    const user = { username, passwordHash: 'none', grant: unlimited('admin') };
    await addUser(db, user, { principal: 'test' });
    tokens[username] = await signToken([SECRET], { sub: username, authTime: (Date.now() + 1) / 1000 });
  }
  return tokens as Record<Actor, string>;
}

type Parts = {
  system: System;
  sink: SinkServer;
  source: FakeSource;
  target: string;
  settings: Record<string, string>;
  actors: Readonly<Record<Actor, string>>;
};

function sceneOf({ system, sink, source, target, settings, actors }: Parts): Scene {
  const write = (more: Record<string, string>): void =>
    writeSettings(system.dataDir, target, { ...settings, ...more });
  const call = async (by: Actor, method: string, route: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`${system.apiUrl}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${actors[by]}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(15_000),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const start = async (action: string, body?: object): Promise<number> => {
    const answer = await call('ada', 'POST', `/${action}/${target}/dev`, body);
    expect(answer, action).toMatchObject({ status: 202 });
    return (answer.body as { job_id: number }).job_id;
  };
  const ended = async (id: number): Promise<Ran> => {
    const look = async () => (await call('ada', 'GET', `/jobs/${id}`)).body as JobAnswer;
    await expect.poll(async () => (await look()).status, { timeout: 60_000, interval: 50 }).toMatch(FINAL);
    const { status, held, diagnosis, progress } = await look();
    const { added = 0, updated = 0, deleted = 0 } = progress ?? {};
    return { id, status, held, added, updated, deleted, code: diagnosis?.code ?? null };
  };
  write({});
  return {
    source,
    set: write,
    start,
    ended,
    lose: (...ids) => ids.forEach((id) => source.rows.delete(id)),
    add: (id) => source.put({ id, updated_at: new Date().toISOString(), name: id }),
    run: async (action, body) => await ended(await start(action, body)),
    names: async () => Object.keys(await sink.names(target)).toSorted(),
    async loss() {
      const losses = (await call('ada', 'GET', `/losses?target=${target}`)).body as Loss[];
      return losses[0] ?? null;
    },
    approve: async ({ id, digest }, by) =>
      await call(by, 'POST', `/losses/${id}/approve`, { digest, reason: 'closed in the source' }),
    keep: async ({ id, digest }, by, ids) =>
      await call(by, 'POST', `/losses/${id}/keep`, { digest, reason: 'still in use', ids }),
    async fresh() {
      const { environments } = (await call('ada', 'GET', `/targets/${target}`)).body as {
        environments: { env: string; removals_fresh_at: string | null }[];
      };
      return environments.find(({ env }) => env === 'dev')?.removals_fresh_at ?? null;
    },
    pauseSwitch: () => sink.pauseSwitch(target),
    misfit: async () => write(await sink.misfit(target)),
    killProgram: () => killProgram(target),
  };
}

const FINAL = /^(completed|failed|deleted)$/;

function writeSettings(dataDir: string, target: string, settings: Record<string, string>): void {
  const folder = path.join(dataDir, 'envtarget');
  mkdirSync(folder, { recursive: true });
  const text = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path.join(folder, `dev-${target}.env`), text.join(''), { mode: 0o600 });
}

/** Finds the program by its environment, as its supervisor hides its pid. */
function killProgram(target: string): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isProgramOf(name, target));
  expect(pids, `programs of ${target}`).not.toEqual([]);
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
}

function isProgramOf(pid: string, target: string): boolean {
  try {
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
    return (
      read('cmdline').some((word) => word.endsWith('src/job/main.ts')) &&
      read('environ').includes(`SYNCRATOR_TARGET=${target}`)
    );
  } catch {
    // It has ended since the folder was read.
    return false;
  }
}
