/** Builds the image of deploy/Dockerfile once for the whole run, under its own tag. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { type BuiltImage, buildImage } from '../../tools/image/build.ts';
import { buildah } from '../../tools/image/buildah.ts';
import { openImage } from '../../tools/image/mounted-image.ts';
import type { Image, ImageConfig } from './container.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    image: Image & BuiltImage;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-image-test-'));
  const built = await buildImage({
    name: `syncrator:test-${randomBytes(4).toString('hex')}`, // another run on this machine may be building it
    archive: path.join(folder, 'image.tar'),
    onProgress: (line) => console.log(`[image] ${line}`),
  });
  const opened = await openImage(built.name);
  project.provide('image', { ...built, rootfs: opened.rootfs, config: opened.config as ImageConfig });
  return async () => {
    await opened.close();
    await buildah('rmi', built.name);
    rmSync(folder, { recursive: true, force: true });
  };
}
