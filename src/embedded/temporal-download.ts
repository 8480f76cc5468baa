/** Downloads the official release of the Temporal CLI and verifies its SHA-256. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from './progress-ticker.ts';

/** Also the version that `go install` builds (temporal-binary.ts). */
export const TEMPORAL_VERSION = '1.5.1';
type Archive = { readonly name: string; readonly sha256: string };
/** SHA-256 of the archives by Node's architecture name; two public lists agree on the hash of x64. */
const ARCHIVES: Readonly<Record<string, Archive>> = {
  x64: { name: 'linux_amd64', sha256: 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d' },
  arm64: { name: 'linux_arm64', sha256: 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5' },
};
const RELEASES = 'https://github.com/temporalio/cli/releases/download';
const LIMIT_MS = 60_000;

/**
 * Downloads `temporal` into `bin` atomically.
 * @param from.releases base URL of the releases, and the archive to take; for tests
 * @throws Error of one line, after at most a minute
 */
export async function downloadTemporal(
  bin: string,
  onProgress: (line: string) => void,
  signal?: AbortSignal,
  { releases = RELEASES, archive = ARCHIVES[process.arch] }: { releases?: string; archive?: Archive } = {},
): Promise<string> {
  const folder = mkdtempSync(path.join(bin, 'download-'));
  try {
    if (process.platform !== 'linux' || !archive)
      throw new Error(`no release for ${process.platform} on ${process.arch} is known`);
    const url = `${releases}/v${TEMPORAL_VERSION}/temporal_cli_${TEMPORAL_VERSION}_${archive.name}.tar.gz`;
    const limit = AbortSignal.timeout(LIMIT_MS);
    const bytes = await withProgress('downloading temporal', onProgress, () =>
      fetched(url, signal === undefined ? limit : AbortSignal.any([signal, limit])),
    );
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (hash !== archive.sha256)
      throw new Error(
        `its SHA-256 is ${hash}, but that of the release is ${archive.sha256}: the download was discarded`,
      );
    const packed = path.join(folder, 'temporal.tar.gz');
    writeFileSync(packed, bytes);
    await promisify(execFile)('tar', ['-xzf', packed, '-C', folder, 'temporal']);
    const draft = path.join(folder, 'temporal');
    chmodSync(draft, 0o755);
    renameSync(draft, path.join(bin, 'temporal'));
    return path.join(bin, 'temporal');
  } catch (cause) {
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    const why = name === 'TimeoutError' ? `no end after ${LIMIT_MS / 1000} s` : message;
    throw new Error(`the download of temporal failed: ${why.split('\n', 1)[0]?.slice(0, 250)}`, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fetched(url: string, signal: AbortSignal): Promise<Uint8Array> {
  let answer: Response;
  try {
    answer = await fetch(url, { signal });
  } catch (error) {
    const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw inner instanceof Error && inner.name !== 'TypeError'
      ? inner
      : new Error(`${url} cannot be reached`);
  }
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
