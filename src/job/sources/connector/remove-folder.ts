/** Removes the folder of a command, also if the connector has taken away the rights to change it or a folder in it. */
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { JobError, reasonOf } from '../../job-error.ts';

const HOW = { recursive: true, force: true, maxRetries: 3 };

/** @throws JobError: the config of the connector is in it */
export function removeFolder(folder: string): void {
  try {
    rmSync(folder, HOW);
  } catch {
    try {
      makeWritable(folder);
      rmSync(folder, HOW);
    } catch (cause) {
      throw new JobError(
        'failed',
        `the folder ${folder} of the connector, which may hold its config, cannot be removed (${reasonOf(cause)}); remove it`,
        { cause },
      );
    }
  }
}

/** Follows no links: they are no folders here. */
function makeWritable(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(join(folder, entry.name));
}
