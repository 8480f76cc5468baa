/**
 * One trace id finds the whole story of a job: in the logs of api and worker, and in the program's environment and
 * log.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { login } from '../support/login.ts';
import { paramsFile } from '../support/params-files.ts';
import type { ProductPart } from '../support/product-part.ts';
import { params, startSystem, type System } from '../support/system.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

let system: System;
let api: ProductPart;
let worker: ProductPart;
beforeAll(async () => {
  system = await startSystem({
    params: [
      paramsFile({ target: 'shown', action: 'sync', command: 'sh -c echo${IFS}$TRACEPARENT' }),
      // The sync program itself, which ends at once because nothing is configured.
      paramsFile({ target: 'real', action: 'sync', command: null }),
      params('often', 'sync', '--mute', 'SCHEDULE=every 1s\n'),
    ],
  });
  api = await system.startApi({ LOG_LEVEL: 'debug', ACCOUNT: 'shown/dev' });
  worker = await system.startWorker();
});
afterAll(() => system[Symbol.asyncDispose]());

async function post(route: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${system.apiUrl}${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await login(system.apiUrl)}`, ...headers },
    signal: AbortSignal.timeout(15_000),
  });
  const body = (await answer.json()) as { job_id?: number };
  expect(body.job_id, JSON.stringify(body)).toBeGreaterThan(0);
  return body.job_id ?? 0;
}

type Line = Readonly<Record<string, unknown>>;

/** Lines that a part has logged with a value of a field. */
function linesOf(part: ProductPart, field: string, value: unknown): Line[] {
  return part
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line[field] === value);
}

describe('a job requested with a traceparent', () => {
  test('its trace runs from the request to the last line of its program', async () => {
    const id = await post('/sync/real/dev', { traceparent: `00-${TRACE}-${SPAN}-01` });
    await system.until(id, 'failed');
    // The api: the request, the resulting job, and the reports of its program.
    await expect
      .poll(() => linesOf(api, 'trace_id', TRACE).map(({ path }) => path))
      .toContain('/sync/real/dev');
    const told = linesOf(api, 'trace_id', TRACE);
    expect(told).toContainEqual(expect.objectContaining({ msg: 'job accepted', job: id, target: 'real' }));
    expect(
      new Set(told.filter(({ path }) => path !== `/jobs/${id}/report`).map(({ request }) => request)).size,
    ).toBe(1);
    expect(told).toContainEqual(
      expect.objectContaining({ path: `/jobs/${id}/report`, job: id, status: 200 }),
    );
    // The worker: from the claim to the end.
    await expect
      .poll(() => linesOf(worker, 'trace_id', TRACE).map(({ msg }) => msg))
      .toEqual(['job claimed', 'step launched', 'step ended', 'job ended']);
    expect(linesOf(worker, 'trace_id', TRACE)).toMatchObject([
      { job: id, env: 'dev', target: 'real', action: 'sync' },
      { job: id, step: 0, attempt: 1, level: 30 },
      { job: id, step: 0, attempt: 1, outcome: 'failed', code: 'not_configured' },
      { job: id, outcome: 'failed', code: 'not_configured' },
    ]);
    // Every line of the job, and of no other.
    expect(linesOf(worker, 'job', id).every((line) => line['trace_id'] === TRACE)).toBe(true);
    const lines = (await system.logText(id)).split('\n').filter((line) => line.includes('Z '));
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(new RegExp(` trace_id=${TRACE}$`));
  });

  test('its program gets the trace in its environment, whatever program it is', async () => {
    const id = await post('/sync/shown/dev', { traceparent: `00-${TRACE}-${SPAN}-01` });
    await system.until(id, 'completed');
    const [, , span = ''] = (await system.logText(id)).trim().split('-');
    expect(await system.logText(id)).toContain(`00-${TRACE}-${span}-01`);
    // The parent is our own span, not the caller's.
    expect(span).toMatch(/^[0-9a-f]{16}$/);
    expect(span).not.toBe(SPAN);
  });
});

test.each([
  ['without a traceparent', undefined],
  ['with an invalid one', `00-${TRACE}-0000000000000000-01`],
  ['with two', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
])('%s a new trace begins each time', async (_, traceparent) => {
  const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
  const traces = new Set<unknown>();
  for (let round = 0; round < 2; round++) {
    const id = await post('/sync/shown/dev', headers);
    await system.until(id, 'completed');
    const [accepted] = linesOf(api, 'job', id);
    const { trace_id: trace } = accepted ?? {};
    expect(trace).toMatch(/^[0-9a-f]{32}$/);
    expect(await system.logText(id)).toContain(`00-${String(trace)}-`);
    await expect.poll(() => linesOf(worker, 'trace_id', trace).length).toBe(4);
    traces.add(trace);
  }
  expect(traces.size).toBe(2);
  expect(traces.has(TRACE)).toBe(false);
});

test('a request for an active job gets the trace of that job, beside its own', async () => {
  await system.call('POST', '/maintenance-status', { paused: true, msg: 'none begins' });
  const first = await post('/sync/shown/dev', { traceparent: `00-${'a'.repeat(32)}-${SPAN}-00` });
  const second = await post('/sync/shown/dev', { traceparent: `00-${'b'.repeat(32)}-${SPAN}-00` });
  expect(second).toBe(first);
  await expect
    .poll(() => linesOf(api, 'trace_id', 'b'.repeat(32)))
    .toContainEqual(expect.objectContaining({ job: first, job_trace_id: 'a'.repeat(32) }));
  await system.call('POST', '/maintenance-status', { paused: false, msg: 'goes on' });
  await system.until(first, 'completed');
  expect(await system.logText(first)).toMatch(new RegExp(`00-${'a'.repeat(32)}-[0-9a-f]{16}-00`));
});

test('a debounced start keeps the trace of its call once it becomes a job', async () => {
  const trace = 'c'.repeat(32);
  await fetch(`${system.apiUrl}/api/syncast`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${await login(system.apiUrl)}`,
      traceparent: `00-${trace}-${SPAN}-01`,
    },
    signal: AbortSignal.timeout(15_000),
  });
  const told = () => linesOf(worker, 'trace_id', trace).map(({ msg }) => msg);
  await expect
    .poll(told, { timeout: 30_000 })
    .toEqual(['job accepted', 'job claimed', 'step launched', 'step ended', 'job ended']);
});

test('the firing of a schedule has its own trace', async () => {
  const told = () => linesOf(worker, 'schedule', 'dev.often.sync');
  await expect.poll(() => told().length, { timeout: 20_000 }).toBeGreaterThan(0);
  const [{ job, trace_id: trace } = {}] = told();
  expect(trace).toMatch(/^[0-9a-f]{32}$/);
  await system.until(Number(job), 'completed');
  await expect
    .poll(() => linesOf(worker, 'trace_id', trace).map(({ msg }) => msg))
    .toEqual(['job accepted', 'job claimed', 'step launched', 'step ended', 'job ended']);
});
