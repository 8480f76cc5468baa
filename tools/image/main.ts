/**
 * `npm run image`: builds the image of deploy/Dockerfile without an image registry, on a base image made of Debian packages.
 * Exists for machines that cannot reach a registry, such as the one this project is developed on. Elsewhere use the normal way:
 * `docker buildx build -f deploy/Dockerfile -t syncrator .` A composition root.
 */
import path from 'node:path';
import { Command } from 'commander';
import { buildImage } from './build.ts';

const program = new Command('npm run image --')
  .description(
    'Builds deploy/Dockerfile with buildah on a base made of Debian packages, and writes it as docker save does. ' +
      'Debian, as root. With an image registry at hand: docker build -f deploy/Dockerfile -t syncrator .',
  )
  .option('--name <name>', 'name of the image, with a tag', 'syncrator:latest')
  .option('--build-arg <name=value...>', 'an argument of the Dockerfile, such as DUCKDB=yes', [])
  .option('--archive <file>', 'file to write', '.data/image/syncrator.tar')
  .addHelpText(
    'after',
    `
Examples:
  npm run image && docker load --input .data/image/syncrator.tar
  ctr --namespace k8s.io image import .data/image/syncrator.tar`,
  )
  .parse();
const { name, archive, buildArg } = program.opts<{ name: string; archive: string; buildArg: string[] }>();

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stopping.abort(new Error(`ended by ${signal}`)));

const began = Date.now();
try {
  const image = await buildImage({
    name,
    archive: path.resolve(archive),
    buildArgs: buildArg,
    onProgress: (line) => console.log(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}`),
    signal: stopping.signal,
  });
  console.log(`${image.name}: ${(image.bytes / 1024 ** 2).toFixed(0)} MiB in ${image.archive}`);
} catch (error) {
  console.error(`cannot build the image: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
