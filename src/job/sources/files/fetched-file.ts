/** A file that was fetched into the folder of the run. */
import { rm } from 'node:fs/promises';
import type { Patience } from '../../http/outage.ts';
import { readChunks } from './disk-place.ts';
import type { OpenFile } from './place.ts';
import { fetchTo, type RemoteFile } from './remote-file.ts';

export async function fetchedFile(
  path: string,
  remote: RemoteFile,
  { patience, arrived }: { patience: Patience; arrived: 'whole' | 'as-written' },
): Promise<OpenFile> {
  const { framed } = await fetchTo(path, remote, patience);
  return {
    path,
    chunks: () => readChunks(path, path),
    arrived: framed ? arrived : 'unframed',
    close: () => rm(path),
  };
}
