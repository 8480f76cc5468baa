/** The Dockerfile of docs/how-to/connector.md: it builds, and a job with its connector runs as in a pod. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { buildah, buildahLong } from '../../tools/image/buildah.ts';
import { openImage } from '../../tools/image/mounted-image.ts';
import { setup } from '../job/support/setup.ts';
import { type ImageConfig, startContainer } from '../support/container.ts';

const BUILD_MS = 10 * 60_000;
const RUN_MS = 2 * 60_000;
const GUIDE = path.resolve(import.meta.dirname, '../../docs/how-to/connector.md');
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';
/** Another place: the recipe installs a package that writes that file. */
const MOUNTED = '/run/authorities.crt';

const base = inject('image');

/** The recipe of the guide, on the image under test. */
function recipe(): string {
  const [, block] = /```\n( *FROM syncrator\n[^`]*)```/.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  if (block === undefined) throw new Error(`${GUIDE} has no Dockerfile that begins with FROM syncrator`);
  return block.replaceAll(/^ {3}/gm, '').replace('FROM syncrator', `FROM ${base.name}`);
}

/** The settings of this machine for PyPI are mounted while building: the image does not contain them. */
async function build(name: string, folder: string): Promise<void> {
  const file = path.join(folder, 'Dockerfile');
  const pip = path.join(folder, 'pip.conf');
  writeFileSync(file, recipe());
  writeFileSync(pip, `[global]\ncert = ${MOUNTED}\n`);
  const mounts = [`${AUTHORITIES}:${MOUNTED}:ro`, `${pip}:/etc/pip.conf:ro`];
  await buildahLong(
    [
      'bud',
      '--isolation=chroot',
      '--pull=never',
      '--format=docker',
      ...mounts.flatMap((mount) => ['--volume', mount]),
      `--file=${file}`,
      `--tag=${name}`,
      folder,
    ],
    { cwd: folder, deadlineMs: BUILD_MS, onLine: (line) => console.log(`[image] ${line}`) },
  );
}

test('the image of the guide runs a sync with its connector, on a read-only root', {
  timeout: BUILD_MS + RUN_MS,
}, async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-connector-image-'));
  const temporary = path.join(folder, 'tmp');
  const name = `${base.name}-connector`;
  try {
    await build(name, folder);
    const { rootfs, config, close } = await openImage(name);
    try {
      await using t = await setup();
      mkdirSync(temporary);
      chmodSync(folder, 0o755);
      chmodSync(temporary, 0o777);
      const CONNECTOR = /\/opt\/\S+\/bin\/source-faker/.exec(readFileSync(GUIDE, 'utf8'))?.[0] ?? '';
      await using container = startContainer(
        { rootfs, config: config as ImageConfig },
        {
          command: ['syncrator-job'],
          args: ['sync'],
          environment: {
            ...t.environment,
            SOURCE: 'connector',
            CONNECTOR,
            CONNECTOR_CONFIG: '{"count": 100, "seed": 7}',
            CONNECTOR_STREAM: 'users',
            SOURCE_UPDATED_AT: 'updated_at',
          },
          mounts: { '/tmp:rw': temporary },
        },
      );
      const code = await container.ended;
      expect([code, container.output()]).toEqual([0, container.output()]);
      expect(Object.keys((await t.names()) ?? {})).toHaveLength(100);
      expect(t.receiver.reports.at(-1)).toMatchObject({ added: 100, listing: 'complete' });
    } finally {
      await close();
    }
  } finally {
    // A build that has failed has made no image.
    if ((await buildah('images', '--quiet', '--filter', `reference=${name}`)) !== '')
      await buildah('rmi', name);
    rmSync(folder, { recursive: true, force: true });
  }
});
