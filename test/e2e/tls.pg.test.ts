/** Postgres and Temporal over TLS: api and worker verify the servers, and present their own certificates. */
import { createSecureServer } from 'node:http2';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { NativeConnection } from '@temporalio/worker';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts';
import { type DebianPostgres, startDebianPostgres } from '../support/debian-postgres.ts';
import { params, startSystem, type System } from '../support/system.ts';
import { createNamespace } from '../support/temporal.ts';
import { startTlsFront, type TlsFront } from '../support/tls-front.ts';

const held = new AsyncDisposableStack();
let authority: Authority;
let stranger: Authority;
let server: Certificate;
let postgres: DebianPostgres;
let front: TlsFront;
let system: System;
let secure: Record<string, string>;
beforeAll(async () => {
  authority = held.use(await createAuthority());
  stranger = held.use(await createAuthority());
  server = await authority.sign('server');
  const client = await authority.sign('client');
  postgres = held.use(await startDebianPostgres(server));
  await postgres.run('createdb', 'syncrator');
  const temporal = await createNamespace();
  front = held.use(await startTlsFront(temporal.address, { ...server, ca: authority.ca }));
  const started = await startSystem({
    databaseUrl: postgres.url('syncrator'),
    temporal,
    params: [params('one', 'sync', '--mute')],
  });
  system = held.use(started);
  secure = {
    DATABASE_URL: `${postgres.url('syncrator')}?sslmode=verify-full&sslrootcert=${authority.ca}`,
    TEMPORAL_ADDRESS: front.address,
    TEMPORAL_TLS_CA_FILE: authority.ca,
    TEMPORAL_TLS_CERT_FILE: client.crt,
    TEMPORAL_TLS_KEY_FILE: client.key,
  };
}, 60_000);
afterAll(() => held.disposeAsync());

test('a job runs, and every connection of ours is encrypted', { timeout: 90_000 }, async () => {
  // One names the authority, the other has it among those that Node knows.
  const { TEMPORAL_TLS_CA_FILE: NODE_EXTRA_CA_CERTS = '', ...known } = secure;
  await Promise.all([
    system.startApi(secure),
    system.startWorker('src/worker.ts', { ...known, NODE_EXTRA_CA_CERTS }),
  ]);
  const ready = await fetch(`${system.apiUrl}/health/ready`);
  expect(await ready.json()).toEqual({ status: 'ok', postgres: 'ok', temporal: 'ok', params: 'ok' });
  const { body } = await system.call('POST', '/sync/one/dev');
  await system.until(Number(body['job_id']), 'completed');
  expect(front.admitted()).toBeGreaterThanOrEqual(3); // the clients of api and worker, and the worker's own core
  const { rows } = await sql<{ application_name: string; ssl: boolean }>`
    SELECT DISTINCT application_name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
    WHERE application_name LIKE 'syncrator%' ORDER BY 1`.execute(system.db);
  expect(rows).toEqual([
    { application_name: 'syncrator-api', ssl: true },
    { application_name: 'syncrator-listen', ssl: true },
    { application_name: 'syncrator-worker', ssl: true },
  ]);
  await system.endParts('src/server.ts');
  await system.endParts('src/worker.ts');
});

test('a server with a certificate of another authority is refused', { timeout: 60_000 }, async () => {
  const url = `${postgres.url('syncrator')}?sslmode=verify-full&sslrootcert=${stranger.ca}`;
  const db = connect(url, { max: 1, applicationName: 'test', onError: () => undefined });
  await expect(sql`SELECT 1`.execute(db)).rejects.toThrow(/certificate/);
  await db.destroy();
  const before = front.admitted();
  await system.startApi({ ...secure, TEMPORAL_TLS_CA_FILE: stranger.ca });
  const ready = await fetch(`${system.apiUrl}/health/ready`);
  expect(await ready.json()).toMatchObject({ status: 'degraded', temporal: 'unreachable' });
  await system.endParts('src/server.ts');
  const { TEMPORAL_TLS_CERT_FILE: _, TEMPORAL_TLS_KEY_FILE: __, ...bare } = secure;
  await system.startApi(bare);
  const refused = await fetch(`${system.apiUrl}/health/ready`);
  expect(await refused.json()).toMatchObject({ status: 'degraded', temporal: 'unreachable' });
  expect(front.admitted()).toBe(before);
});

test('each call sends the API key', async () => {
  const { crt, key } = server;
  const seen = new Set<string | undefined>();
  const gate = createSecureServer({ cert: readFileSync(crt), key: readFileSync(key) });
  gate.on('stream', (stream, headers) => {
    seen.add(headers.authorization);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' },
      { endStream: true },
    );
  });
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  const address = `127.0.0.1:${(gate.address() as AddressInfo).port}`;
  const security = {
    tls: { serverRootCACertificate: readFileSync(authority.ca) },
    apiKey: 'the-key',
  };
  const temporal = connectTemporal({ address, namespace: 'default', security });
  await expect(temporal.connection.workflowService.getSystemInfo({})).rejects.toThrow(/PERMISSION_DENIED/);
  expect([...seen]).toEqual(['Bearer the-key']);
  seen.clear();
  await expect(NativeConnection.connect({ address, ...security })).rejects.toThrow();
  expect([...seen]).toEqual(['Bearer the-key']);
  await temporal.close();
  gate.close();
});
