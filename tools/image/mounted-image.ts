/** An image of our store as a folder that can be looked into and run. */
import { buildah } from './buildah.ts';

export type OpenedImage = {
  /** Its whole file system, as one folder; not to be written to. */
  readonly rootfs: string;
  /** What `docker inspect` shows as Config. */
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
