/** Sends every bad credential by every method to every route: collects what was not refused, and what it changed. */
import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import type { Operation } from '../operations.ts';
import type { Asker, Told } from './ask.ts';
import type { Credential } from './credentials.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Rows that must not change while everything is refused; without those that only the worker writes. */
const LOOKED_AT = [
  'SELECT count(*)::text AS line FROM jobs',
  "SELECT j.id || ' ' || coalesce(j.cancel_requested_at::text, '-') || j.status AS line FROM jobs j ORDER BY 1",
  // Refusals themselves are audited.
  'SELECT t::text AS line FROM audit t WHERE refused IS NULL ORDER BY 1',
  ...[
    'idempotency_keys',
    'losses',
    'loss_approvals',
    'loss_keeps',
    'loss_pins',
    'loss_records',
    'maintenance',
    'next_starts',
    'plans',
    'plan_records',
    'reports',
    'schedule_firings',
    'stories',
    'sync_jobs',
    'targets',
    'users',
  ].map((table) => `SELECT t::text AS line FROM ${table} t ORDER BY 1`),
];
const AT_ONCE = 16;

export type Values = Readonly<Record<string, string>>;

/** @param values for the paths: of existing things, so that only the credential is wrong */
export async function refuseAll(of: {
  asker: Asker;
  db: Db;
  operations: readonly Operation[];
  credentials: readonly Credential[];
  values: Values;
}): Promise<{ n: number; violations: string[] }> {
  const queue = [...new Set(of.operations.map(({ path }) => path))].flatMap((path) =>
    METHODS.flatMap((method) => of.credentials.map((credential) => ({ path, method, credential }))),
  );
  const n = queue.length;
  const lane = async (violations: string[]) => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const { path, method, credential } = next;
      const operation = of.operations.find(
        (one) => one.path === path && one.method === (method === 'HEAD' ? 'GET' : method),
      );
      if (operation?.access === 'public') continue;
      const answer = await of.asker.ask(method, fill(path, of.values), {
        ...(credential.header === undefined ? {} : { headers: { authorization: credential.header } }),
        ...(operation?.body && method !== 'HEAD' ? { json: adapted(operation.body, of.values) } : {}),
      });
      const fitting = expected(operation);
      if (!fitting.includes(answer.status))
        violations.push(
          `${method} ${path} with ${credential.name}: ${answer.status}, not ${fitting.join(' or ')}`,
        );
    }
  };
  const violations = await changesIn(of.db, async () => {
    const told: string[] = [];
    await Promise.all(Array.from({ length: AT_ONCE }, () => lane(told)));
    return told;
  });
  return { n, violations };
}

/** The violations that the calls found, and the changes that refused calls made. */
export async function changesIn(db: Db, calls: () => Promise<string[]>): Promise<string[]> {
  const before = await everything(db);
  const violations = await calls();
  const after = await everything(db);
  for (const [at, text] of after.entries())
    if (text !== before[at]) violations.push(`a refused call changed the result of ${LOOKED_AT[at]}`);
  return violations;
}

/** Sends reports with tokens that were valid once, or are valid elsewhere. */
export async function refuseReports(
  asker: Asker,
  cases: readonly { name: string; job: number; token: string; status: number }[],
): Promise<string[]> {
  const violations: string[] = [];
  for (const { name, job, token, status } of cases) {
    const answer: Told = await asker.ask('PUT', `/jobs/${job}/report`, {
      token,
      json: { seq: 2_000_000, phase: 'stolen' },
    });
    if (answer.status !== status)
      violations.push(`a report with ${name}: ${answer.status} ${answer.text}, not ${status}`);
  }
  return violations;
}

function expected(operation: Operation | undefined): number[] {
  if (!operation) return [404, 405];
  return operation.access === 'report' ? [401, 403] : [401];
}

export function fill(path: string, of: Values): string {
  // Schedules have ids of another form.
  const values = path.startsWith('/schedules/') ? { ...of, id: of['schedule'] ?? 'none' } : of;
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'none');
}

/** The document's example with names that are declared here. */
export function adapted(body: Readonly<Record<string, unknown>>, values: Values): object {
  const own = Object.fromEntries(Object.entries(values).filter(([name]) => name in body && name !== 'id'));
  return { ...body, ...own };
}

async function everything(db: Db): Promise<string[]> {
  const texts: string[] = [];
  for (const statement of LOOKED_AT) {
    const { rows } = await sql.raw<{ line: string }>(statement).execute(db);
    texts.push(rows.map(({ line }) => line).join('\n'));
  }
  return texts;
}
