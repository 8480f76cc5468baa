/** Copies a target's settings file for a program of another user, readable by that user alone, while the program runs. */
import {
  chmodSync,
  closeSync,
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { isCode } from './run-folder.ts';

export type Lent = { readonly environment: Readonly<Record<string, string>>; readonly takeBack: () => void };

/** Path of the copy of one run. */
export function lentFile(dataDir: string, run: string): string {
  return path.join(dataDir, 'lent', `${run}.env`);
}

const NOTHING: Lent = { environment: {}, takeBack: () => undefined };

/**
 * @param of.file the original; if it does not exist there is no copy, and the program reports it as missing
 * @param of.name name of the run; each run has its own copy
 */
export function lendSettings(of: {
  file: string | undefined;
  dataDir: string;
  name: string;
  uid: number;
}): Lent {
  const { file, dataDir, name, uid } = of;
  if (file === undefined) return NOTHING;
  // Mode 0711: a file can be opened by name, but the folder cannot be listed.
  const copy = lentFile(dataDir, name);
  mkdirSync(path.dirname(copy), { recursive: true });
  chmodSync(path.dirname(copy), 0o711);
  const takeBack = () => rmSync(copy, { force: true });
  takeBack();
  const environment = { SYNCRATOR_SETTINGS_FILE: copy, SYNCRATOR_SETTINGS_COPY_OF: file };
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    return { environment, takeBack };
  }
  const draft = openSync(copy, 'wx', 0o400);
  try {
    fchownSync(draft, uid, uid);
    // Fail rather than write a part: a truncated value could name another table.
    writeFileSync(draft, text);
  } catch (error) {
    takeBack();
    throw error;
  } finally {
    closeSync(draft);
  }
  return { environment, takeBack };
}
