/** Mounts an image of our store as a folder, to read it or run its programs. */
import { buildah } from './buildah.ts';

export type OpenedImage = {
  /** Its whole file system in one folder; do not write to it. */
  readonly rootfs: string;
  /** The Config that `docker inspect` shows. */
  readonly config: unknown;
  close(): Promise<void>;
};

/** @param name with its tag */
export async function openImage(name: string): Promise<OpenedImage> {
  const { Docker: docker } = JSON.parse(await buildah('inspect', '--type', 'image', name)) as {
    Docker: { config: unknown };
  };
  const container = await buildah('from', '--pull=never', name);
  return {
    rootfs: await buildah('mount', container),
    config: docker.config,
    async close() {
      await buildah('rm', container);
    },
  };
}
