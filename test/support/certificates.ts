/** A test's own certificate authority, and certificates that it signed for this machine; made by openssl. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const EXTENSIONS = 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n';

/** PEM files. */
export type Certificate = { readonly crt: string; readonly key: string };
export type Authority = Disposable & {
  readonly ca: string;
  /** Valid for `localhost` and 127.0.0.1, as server and as client. */
  sign(name: string): Promise<Certificate>;
};

/** @throws Error if openssl is missing */
export async function createAuthority(): Promise<Authority> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-authority-'));
  const openssl = async (...args: string[]) =>
    promisify(execFile)('openssl', args, { cwd: folder, timeout: 10_000 });
  const ca = path.join(folder, 'ca.crt');
  await openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=tests');
  writeFileSync(path.join(folder, 'extensions'), EXTENSIONS);
  return {
    ca,
    async sign(name) {
      const [key, request, crt] = [`${name}.key`, `${name}.csr`, `${name}.crt`];
      await openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
      const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions'];
      await openssl('x509', '-req', '-in', request, '-out', crt, ...by);
      return { crt: path.join(folder, crt), key: path.join(folder, key) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
