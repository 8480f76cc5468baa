/**
 * Calls every route with every role, within limits and outside them: checks who is let in, and that a refusal
 * changes nothing.
 */
import { signToken } from '../../../src/api/auth/tokens.ts';
import type { Db } from '../../../src/db/schema.ts';
import { addServiceToken } from '../../../src/db/access/service-tokens.ts';
import { addUser } from '../../../src/db/access/users.ts';
import { APPROVE, type Grant, grantOf, hasRole, ROLES, unlimited } from '../../../src/domain/permission.ts';
import { makeServiceToken } from '../../../src/auth/service-token.ts';
import { needOf } from '../../support/route-needs.ts';
import type { Operation } from '../operations.ts';
import type { Asker, Told } from './ask.ts';
import { adapted, changesIn, fill, type Values } from './refusals.ts';

/** Names that all calls here use. */
const ENV = 'dev';
const ACTIONS = ['sync', 'delta', 'delete', 'diff', 'rollback', 'take-over', 'forget', 'story', APPROVE];

export type Person = { readonly grant: Grant; readonly token: string };

const GRANTS: readonly Grant[] = [
  ...ROLES.map(unlimited),
  grantOf('operator', [ENV], ACTIONS),
  grantOf('operator', ['qas'], []),
  grantOf('operator', [], ['nothing']),
  grantOf('admin', [ENV], ACTIONS),
  grantOf('admin', ['qas'], []),
  grantOf('admin', [], ['nothing']),
];

/** A user of each kind, and a service token. */
export async function makePeople(db: Db, secrets: readonly string[]): Promise<Person[]> {
  const people: Person[] = [];
  for (const [at, grant] of GRANTS.entries()) {
    const name = `person${at}`;
    await addUser(db, { username: name, passwordHash: 'none', grant }, { principal: 'test' });
    people.push({ grant, token: await signToken(secrets, { sub: name, authTime: now() }) });
    const { id, hash, token } = makeServiceToken();
    await addServiceToken(db, { id, hash, name, grant, seconds: 3_600 }, { principal: 'test' });
    people.push({ grant, token });
  }
  return people;
}

type Tried = { readonly n: number; readonly violations: string[] };
type Of = {
  readonly asker: Asker;
  readonly operations: readonly Operation[];
  readonly people: readonly Person[];
  readonly values: Values;
};

/** Calls without the right: 403, and nothing has changed. */
export async function refuseRoles(of: Of & { db: Db }): Promise<Tried> {
  let n = 0;
  const violations = await changesIn(of.db, async () => {
    const told: string[] = [];
    for (const { operation, person } of pairs(of)) {
      if (mayCall(operation, person)) continue;
      n += 1;
      const answer = await call(of, operation, person);
      if (!isRefused(operation, answer))
        told.push(`${lineOf(operation, person)}: ${answer.status} ${answer.text}`);
    }
    return told;
  });
  return { n, violations };
}

/** Calls with the right: any answer but a refusal of the caller. */
export async function admitRoles(of: Of): Promise<Tried> {
  const violations: string[] = [];
  let n = 0;
  for (const { operation, person } of pairs(of)) {
    if (!mayCall(operation, person)) continue;
    n += 1;
    const answer = await call(of, operation, person);
    // The audit quotes the refusals of others.
    const isRefusal = operation.path !== '/audit' && answer.text.includes('yours is ');
    if ([401, 403, 500].includes(answer.status) || isRefusal)
      violations.push(`${lineOf(operation, person)}: ${answer.status} ${answer.text}`);
  }
  return { n, violations };
}

function pairs({ operations, people }: Of) {
  return operations
    .filter(({ access }) => access === 'token')
    .flatMap((operation) => people.map((person) => ({ operation, person })));
}

function mayCall({ method, path }: Operation, { grant }: Person): boolean {
  const { role, touches } = needOf(method, path);
  if (!hasRole(grant, role)) return false;
  const { envs, actions } = grant;
  if (
    /^\/losses\/\{id\}\/(approve|keep)$/.test(path) &&
    !(actions?.includes(APPROVE) ?? grant.role === 'admin')
  )
    return false;
  if (touches === 'everything') return envs === null && actions === null;
  // A record of an outside run names an action, but no environment.
  if (method === 'POST' && path === '/sync_jobs') return actions?.includes('sync') ?? true;
  return touches === undefined || ((envs?.includes(ENV) ?? true) && (actions?.includes('sync') ?? true));
}

async function call(
  { asker, values }: Of,
  { method, path, body }: Operation,
  { token }: Person,
): Promise<Told> {
  const json =
    method === 'POST' && path === '/jobs'
      ? { jobs: [{ operation: 'sync', target: values['target'], env: ENV }] }
      : body && adapted(body, values);
  return await asker.ask(method, fill(path, values), { token, ...(json ? { json } : {}) });
}

/** A batch refuses each item by itself. */
function isRefused({ method, path }: Operation, { status, text }: Told): boolean {
  if (status === 403) return text.includes('"code":"forbidden"');
  if (status !== 200 || method !== 'POST') return false;
  if (path === '/jobs') return text.includes('"FAILED"') && text.includes('yours is limited to');
  return path === '/jobs/resume-all' && !/"job_id":\d/.test(text);
}

function lineOf({ method, path }: Operation, { grant }: Person): string {
  return `${method} ${path} as ${JSON.stringify(grant)}`;
}

function now(): number {
  return (Date.now() + 1) / 1000; // another user was made within this millisecond
}
