/** The image that every pod's sandbox runs: one program of ours, packed into an archive here. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { PAUSE_IMAGE } from './places.ts';

const run = promisify(execFile);

/**
 * Writes it in the format of `docker save` and returns it.
 * @param program the built pause/main.go
 */
export async function withPauseImage<T>(program: string, use: (archive: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-pause-'));
  try {
    cpSync(program, path.join(folder, 'pause'));
    const tar = (archive: string, ...files: string[]) =>
      run('tar', ['-cf', archive, '--owner=0', '--group=0', '--mtime=@0', ...files], { cwd: folder });
    await tar('layer.tar', 'pause');
    const layer = createHash('sha256')
      .update(readFileSync(path.join(folder, 'layer.tar')))
      .digest('hex');
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: ['/pause'], User: '65535:65535' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }];
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    await tar('image.tar', 'manifest.json', 'config.json', 'layer.tar');
    return await use(path.join(folder, 'image.tar'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
