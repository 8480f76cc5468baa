/** Connects to a test's control plane as its administrator, directly or through a proxy on this machine. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Connection, connectKubernetes } from '../../src/runner/kubernetes/apiserver/connection.ts';
import type { ProvidedCluster } from './cluster-setup.ts';

/** @param port of 127.0.0.1, which the apiserver's certificate covers, too; by default the apiserver's own */
export function connectAsAdmin(
  cluster: Pick<ProvidedCluster, 'kubeconfig' | 'server'>,
  namespace: string,
  port?: number,
): Connection {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-kubeconfig-'));
  const file = path.join(folder, 'kubeconfig');
  const text = readFileSync(cluster.kubeconfig, 'utf8');
  const server = port === undefined ? cluster.server : `https://127.0.0.1:${port}`;
  writeFileSync(file, text.replaceAll(cluster.server, server), { mode: 0o600 });
  // The library reads KUBECONFIG, and the whole file at once.
  const before = process.env['KUBECONFIG'];
  process.env['KUBECONFIG'] = file;
  try {
    return connectKubernetes({ namespace });
  } finally {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}
