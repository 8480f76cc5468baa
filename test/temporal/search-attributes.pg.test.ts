/** Tests namespaces that are full, have our names with other types, or forbid additions: jobs run in all of them. */
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { afterEach, expect, inject, test } from 'vitest';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { createSearchAttributes, ensureSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { params, startSystem } from '../support/system.ts';
import { createNamespace } from '../support/temporal.ts';

const [KEYWORD, INT] = [2, 3];
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A namespace that already has these attributes. */
async function namespaceWith(searchAttributes: Record<string, number>) {
  const at = await createNamespace();
  const connection = await Connection.connect({ address: at.address });
  cleanups.push(() => connection.close());
  await connection.operatorService.addSearchAttributes({ namespace: at.namespace, searchAttributes });
  return at;
}

/** Runs a job that completes and one that fails. */
async function runJobs(temporal: { address: string; namespace: string }) {
  await using system = await startSystem({
    temporal,
    params: [params('good', 'sync', '--mute'), params('bad', 'sync', '--mute --exit 1')],
  });
  const worker = await system.startWorker();
  const ids: number[] = [];
  for (const [target, status] of Object.entries({ good: 'completed', bad: 'failed' })) {
    const submitted = await system.submit(target, 'sync');
    if (submitted.kind !== 'created') throw new Error(submitted.kind);
    await system.until(submitted.job.id, status);
    ids.push(submitted.job.id);
  }
  const count = async (query: string) => (await system.temporal.client.workflow.count(query)).count;
  await expect.poll(() => count('ExecutionStatus="Failed"')).toBe(1);
  const lines = worker
    .output()
    .split('\n')
    .filter((line) => line.includes('search attributes'));
  return { ids, words: lines.map((line) => (JSON.parse(line) as { msg: string }).msg) };
}

test('a full namespace is logged with the missing filters and the advice to use a separate namespace', async () => {
  const names = Array.from({ length: 9 }, (_, nth) => `Theirs${nth}`);
  const { words } = await runJobs(
    await namespaceWith(Object.fromEntries(names.map((name) => [name, KEYWORD]))),
  );
  expect(words).toEqual([
    expect.stringMatching(
      /^Temporal: jobs run without the search attributes SyncratorEnv, SyncratorAction in the namespace .*cannot have more than 10 .*Give Syncrator its own namespace: temporal operator namespace create --namespace syncrator .*TEMPORAL_NAMESPACE=syncrator$/,
    ),
  ]);
});

test('an attribute of our name with another type is logged, and jobs run', async () => {
  const { words } = await runJobs(await namespaceWith({ SyncratorJobId: KEYWORD, SyncratorTarget: INT }));
  expect(words).toEqual([
    expect.stringMatching(
      /without the search attributes SyncratorTarget, SyncratorJobId .*SyncratorTarget has the type Int there instead of Keyword\. Give Syncrator/,
    ),
  ]);
});

test('without the right to add attributes, the log has the command for an account with it', async () => {
  const address = await serverThatAnswers({ ListSearchAttributes: 0, AddSearchAttributes: 7 });
  const { usable, trouble } = await ensureSearchAttributes(temporalAt(address, 'theirs'));
  expect([...usable]).toEqual([]);
  expect(trouble).toContain(
    'Ask an account with that permission to run: temporal operator search-attribute create --namespace theirs ' +
      '--name SyncratorTarget --type Keyword --name SyncratorEnv --type Keyword ' +
      '--name SyncratorAction --type Keyword --name SyncratorJobId --type Int',
  );
  const deaf = await serverThatAnswers({ ListSearchAttributes: 7 });
  expect((await ensureSearchAttributes(temporalAt(deaf, 'theirs'))).trouble).toContain('may not list');
});

test('a refused addition is logged once and not repeated at each pass', async () => {
  const asked: string[] = [];
  const full = { ListSearchAttributes: 0, AddSearchAttributes: 3 };
  const warned: string[] = [];
  const searchAttributes = createSearchAttributes(
    temporalAt(await serverThatAnswers(full, asked), 'theirs'),
    pino({ level: 'warn' }, { write: (line) => void warned.push(line) }),
  );
  for (let pass = 0; pass < 3; pass++) await searchAttributes.ensure();
  expect(warned).toHaveLength(1);
  expect([...searchAttributes.usable()]).toEqual([]);
  // All four at once, then one by one.
  expect(
    Object.entries(Object.groupBy(asked, (method) => method)).map(([k, all]) => [k, all?.length]),
  ).toEqual([
    ['ListSearchAttributes', 3],
    ['AddSearchAttributes', 5],
  ]);
});

test('a missing namespace is reported with the commands to fix it', async () => {
  await expect(ensureSearchAttributes(temporalAt(inject('temporalAddress'), 'no-such'))).rejects.toThrow(
    'Temporal has no namespace no-such: set TEMPORAL_NAMESPACE to an existing one, or create it: ' +
      'temporal operator namespace create --namespace no-such --retention 3d',
  );
});

function temporalAt(address: string, namespace: string) {
  const temporal = connectTemporal({ address, namespace });
  cleanups.push(() => temporal.close());
  return temporal;
}

/** Speaks just enough gRPC for a status: by method, with an empty message for 0. */
async function serverThatAnswers(statuses: Record<string, number>, asked: string[] = []): Promise<string> {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const status = statuses[method] ?? 0;
    asked.push(method);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': String(status), 'grpc-message': 'Request unauthorized.' });
    });
    stream.end(status === 0 ? Buffer.alloc(5) : undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
