/** A downloaded Temporal CLI is accepted only if it is the known release, byte for byte. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { downloadTemporal } from '../../src/embedded/temporal-download.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-download-'));
const program = '#!/bin/sh\necho temporal\n';
let packed: Buffer;
let releases: string;
const server = http.createServer((request, response) => {
  if (request.url?.endsWith('_linux_here.tar.gz')) response.end(packed);
  else response.writeHead(404).end();
});

beforeAll(async () => {
  writeFileSync(path.join(folder, 'temporal'), program);
  chmodSync(path.join(folder, 'temporal'), 0o644);
  packed = execFileSync('tar', ['-czC', folder, 'temporal']);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function download(archive: { name: string; sha256: string }) {
  const bin = mkdtempSync(path.join(folder, 'bin-'));
  return { bin, done: downloadTemporal(bin, () => undefined, undefined, { releases, archive }) };
}

test('the known release is unpacked, and can be run', async () => {
  const { bin, done } = download({
    name: 'linux_here',
    sha256: createHash('sha256').update(packed).digest('hex'),
  });
  const file = await done;
  expect([readdirSync(bin), readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([
    ['temporal'],
    program,
    0o755,
  ]);
});

test('other bytes are refused, and both hashes are shown', async () => {
  const { bin, done } = download({ name: 'linux_here', sha256: 'a'.repeat(64) });
  await expect(done).rejects.toThrow(
    /SHA-256 is [\da-f]{64}, but that of the release is a{64}: the download was discarded/,
  );
  expect(readdirSync(bin)).toEqual([]);
});

test('a missing release is reported with its address', async () => {
  const { bin, done } = download({ name: 'linux_nowhere', sha256: '' });
  await expect(done).rejects.toThrow(/temporal_cli_[\d.]+_linux_nowhere\.tar\.gz answered 404/);
  expect(readdirSync(bin)).toEqual([]);
});
