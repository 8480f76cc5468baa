/** Sends HEAD and OPTIONS to every route as an admin: they change nothing, and hold no stream open. */
import type { Operation } from '../operations.ts';
import type { Asker } from './ask.ts';
import { fill, type Values } from './refusals.ts';

/** More than one caller may have open, and more than a process has slots for. */
const STREAMS = 260;
const AT_ONCE = 16;

export async function checkLooks(of: {
  asker: Asker;
  operations: readonly Operation[];
  token: string;
  values: Values;
}): Promise<{ n: number; violations: string[] }> {
  const { asker, operations, token, values } = of;
  const violations: string[] = [];
  let n = 0;
  const ask = async (method: string, route: string, statuses: readonly number[]) => {
    n += 1;
    const { status, text } = await asker.ask(method, route, { token });
    if (!statuses.includes(status))
      violations.push(`${method} ${route}: ${status}, not ${statuses.join(' or ')}`);
    if (method === 'HEAD' && text !== '')
      violations.push(`${method} ${route} has a body: ${text.slice(0, 100)}`);
  };
  const paths = [...new Set(operations.map(({ path }) => path))];
  for (const path of paths) {
    const route = fill(path, values);
    const read = operations.find((one) => one.path === path && one.method === 'GET');
    await ask('OPTIONS', route, [405]);
    // A route of programs refuses the token of a person.
    await ask('HEAD', route, read ? [read.access === 'report' ? 401 : 200] : [404, 405]);
  }
  const streams = ['/events', `/jobs/${values['id']}/events`, `/jobs/${values['id']}/logs?follow=true`];
  const queue = Array.from({ length: STREAMS }, (_, at) => streams[at % streams.length] ?? '');
  const lane = async () => {
    for (let route = queue.pop(); route !== undefined; route = queue.pop()) await ask('HEAD', route, [200]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  // They hold no slot: a new listener is accepted.
  for (const route of streams) await ask('GET', route, [200]);
  return { n, violations };
}
