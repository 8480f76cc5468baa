/** SOURCE=files in the image, which has DuckDB only when it is built so. */
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { buildImage } from '../../tools/image/build.ts';
import { buildah } from '../../tools/image/buildah.ts';
import { openImage } from '../../tools/image/mounted-image.ts';
import { folder } from '../job/sources/files/support/folder.ts';
import { setup, type Setup } from '../job/support/setup.ts';
import { type Image, type ImageConfig, startContainer } from '../support/container.ts';

const base = inject('image');

async function sync(image: Image, t: Setup): Promise<{ code: number; output: string }> {
  const drop = folder();
  drop.put('places.csv', 'id,name\na,Aachen\n');
  chmodSync(drop.path, 0o755);
  const temporary = mkdtempSync(path.join(os.tmpdir(), 'syncrator-pod-tmp-'));
  onTestFinished(() => rmSync(temporary, { recursive: true }));
  chmodSync(temporary, 0o777);
  await using container = startContainer(image, {
    command: ['syncrator-job'],
    args: ['sync'],
    environment: { ...t.environment, SOURCE: 'files', SOURCE_PATH: '/drop/*.csv', SOURCE_ID: 'id' },
    mounts: { '/drop': drop.path, '/tmp:rw': temporary },
  });
  return { code: await container.ended, output: container.output() };
}

test('without DuckDB a job with files says how to build the image, and touches nothing', async () => {
  await using t = await setup();
  const { code, output } = await sync(base, t);
  expect([code, output]).toEqual([
    4,
    expect.stringContaining('build it with --build-arg DUCKDB=yes') as string,
  ]);
});

test('with DuckDB, on a read-only root, it reads them', { timeout: 300_000 }, async () => {
  const place = mkdtempSync(path.join(os.tmpdir(), 'syncrator-duckdb-image-'));
  const name = `${base.name}-duckdb`;
  try {
    const onProgress = (line: string): void => console.log(`[image] ${line}`);
    const built = await buildImage({
      name,
      archive: path.join(place, 'image.tar'),
      buildArgs: ['DUCKDB=yes'],
      onProgress,
    });
    const more = Math.round((statSync(built.archive).size - statSync(base.archive).size) / 1_000_000);
    console.log(`DuckDB: ${more} MB more`);
    expect(more).toBeLessThanOrEqual(80);
    const opened = await openImage(built.name);
    try {
      await using t = await setup();
      const { code, output } = await sync({ rootfs: opened.rootfs, config: opened.config as ImageConfig }, t);
      expect([code, output]).toEqual([0, output]);
      expect(await t.names()).toEqual({ a: 'Aachen' });
    } finally {
      await opened.close();
    }
  } finally {
    await buildah('rmi', name);
    rmSync(place, { recursive: true, force: true });
  }
});
