/** Builds local images under official names for machines without a registry; rebuilds them when their contents change. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from '../../src/embedded/progress-ticker.ts';
import { buildah } from './buildah.ts';

/** Digest of its contents: a change of it rebuilds the image. */
const LABEL = 'syncrator.made-of';
const LIMIT_MS = 10 * 60_000;

export type Kit = {
  /** The image under construction, as buildah names it. */
  readonly container: string;
  /** Folder of intermediate files, and the working folder of `run`. */
  readonly folder: string;
  readonly run: (program: string, args: readonly string[]) => Promise<unknown>;
};

export type MadeImage = {
  readonly name: string;
  readonly madeOf: string;
  /** In words: `1 minute`. */
  readonly usually: string;
  /** The base image, or `scratch`. */
  readonly from: string;
  /** Arguments of `buildah config`. */
  readonly settings: readonly string[];
  readonly fill: (kit: Kit) => Promise<void>;
};

/**
 * Builds the image unless it exists, as one layer.
 * @throws Error with the reason
 */
export async function ensureMade(
  image: MadeImage,
  onProgress: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { name, madeOf, usually } = image;
  if ((await labelOf(name)) === madeOf) return;
  await withProgress(`building ${name} from ${madeOf} (about ${usually}, once)`, onProgress, () =>
    make(image, signal),
  );
}

async function labelOf(name: string): Promise<string | undefined> {
  const found = await buildah('images', '--quiet', '--filter', `reference=${name}`);
  if (found === '') return undefined;
  const format = `--format={{index .Docker.Config.Labels "${LABEL}"}}`;
  return await buildah('inspect', '--type=image', format, name);
}

async function make({ name, madeOf, from, settings, fill }: MadeImage, signal?: AbortSignal): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-made-'));
  try {
    const container = await buildah('from', '--pull=never', from);
    try {
      const limits = { timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024, ...(signal ? { signal } : {}) };
      await fill({
        container,
        folder,
        run: (program, args) => promisify(execFile)(program, args, { cwd: folder, ...limits }),
      });
      await buildah('config', `--label=${LABEL}=${madeOf}`, ...settings, container);
      await buildah('commit', '--quiet', '--squash', '--format=docker', container, name);
    } finally {
      await buildah('rm', container);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
