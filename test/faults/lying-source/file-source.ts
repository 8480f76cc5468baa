/** A file of records, written as a lie demands. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Lie, Line, ToldFile } from './lie.ts';
import type { Story } from './story.ts';

export type FileSource = {
  readonly path: string;
  /** @returns what happens to the file once the program waits for it */
  tell(lines: readonly Line[], story: Story, lie?: Lie['file'], proven?: boolean): (() => void) | undefined;
  remove(): void;
};

export function makeFileSource(): FileSource {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-lying-'));
  const file = path.join(folder, 'records.ndjson');
  return {
    path: file,
    tell(lines, story, lie, proven = true) {
      rmSync(file, { force: true, recursive: true });
      rmSync(`${file}.total`, { force: true });
      const told: ToldFile = {
        lines: lines.map(({ text }) => text),
        end: proven ? JSON.stringify({ end: true, total: lines.length }) : null,
        beside: null,
        newline: '\n',
        lastNewline: true,
        whole: undefined,
        young: false,
        mtime: undefined,
        meanwhile: undefined,
        instead: undefined,
      };
      lie?.(told, story);
      write(file, told);
      const { meanwhile } = told;
      return meanwhile && (() => meanwhile(file));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function write(file: string, told: ToldFile): void {
  if (told.instead === 'nothing') return;
  if (told.instead === 'directory') {
    mkdirSync(file);
    return;
  }
  if (told.instead === 'loop') {
    symlinkSync(file, file);
    return;
  }
  if (told.instead === 'fifo') return void execFileSync('mkfifo', [file]);
  const all = told.end === null ? told.lines : [...told.lines, told.end];
  const pieces = all.flatMap((line, at) =>
    at < all.length - 1 || told.lastNewline ? [line, told.newline] : [line],
  );
  const text = Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
  writeFileSync(file, told.whole ? told.whole(text) : text);
  if (told.beside !== null) writeFileSync(`${file}.total`, told.beside);
  const time = told.mtime ?? new Date(Date.now() - 3_600_000);
  if (!told.young) utimesSync(file, time, time);
}
