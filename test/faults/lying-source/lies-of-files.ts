/** Lies of a SOURCE_FILE: in its end, its form, the files beside it, and writes meanwhile. */

import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { always, but, ends, honestly, type Lie, READ, type ToldFile, UNPROVEN } from './lie.ts';
import type { Fate } from './model.ts';
import { CANARY } from './story.ts';

const FAILED = ends('failed');
const PART = ends('incompleteListing');
const REJECTED = ends('recordsRejected');
const NOT_THERE = ends('sourceUnreachable');
const unproven = but(UNPROVEN, 'changes');

const lie = (name: string, fate: Fate | Lie['fate'], file: Lie['file'], more: Partial<Lie> = {}): Lie => ({
  name,
  only: 'file',
  fate: typeof fate === 'function' ? fate : always(fate),
  ...(file ? { file } : {}),
  ...more,
});

const end =
  (of: (count: number) => string | null): NonNullable<Lie['file']> =>
  (file) => {
    file.end = of(file.lines.length);
  };
const total = (count: number): string => JSON.stringify({ end: true, total: count });
const beside =
  (of: (count: number) => string): NonNullable<Lie['file']> =>
  (file) => {
    file.end = null;
    file.beside = of(file.lines.length);
  };
const whole =
  (change: (text: Buffer) => Buffer): NonNullable<Lie['file']> =>
  (file) => {
    file.whole = change;
  };
const meanwhile =
  (change: (path: string) => void): NonNullable<Lie['file']> =>
  (file) => {
    Object.assign(file, { young: true, meanwhile: change } satisfies Partial<ToldFile>);
  };
/** Only the first lines, like a truncated file. */
const part = (some: number): Pick<Lie, 'lines'> => ({
  lines: ({ next, random }) => honestly(next.slice(0, Math.floor(next.length * some) - random.integer(0, 3))),
});
const noEnd = (file: ToldFile): void => void (file.end = null);

export const OF_FILES: readonly Lie[] = [
  lie('no end line', unproven, noEnd),
  lie('cut off between lines', unproven, noEnd, part(0.97)),
  lie('cut off in its middle', unproven, noEnd, part(0.5)),
  lie('cut off in mid line', REJECTED, (file) => {
    file.end = null;
    file.whole = (text) => text.subarray(0, text.length - 12);
  }),
  lie('cut off, and SOURCE_FILE_COMPLETE=true', READ, noEnd, {
    ...part(0.97),
    environment: { SOURCE_FILE_COMPLETE: 'true' },
  }),
  lie('cut off in its middle, and SOURCE_FILE_COMPLETE=true', READ, noEnd, {
    ...part(0.5),
    environment: { SOURCE_FILE_COMPLETE: 'true' },
  }),
  lie(
    'an end line with one too many',
    PART,
    end((count) => total(count + 1)),
  ),
  lie(
    'an end line with one too few',
    PART,
    end((count) => total(count - 1)),
  ),
  lie(
    'an end line with zero',
    PART,
    end(() => total(0)),
  ),
  lie(
    'an end line with a huge number',
    PART,
    end(() => total(Number.MAX_SAFE_INTEGER)),
  ),
  lie(
    'an end line without a total',
    PART,
    end(() => '{"end":true}'),
  ),
  lie(
    'an end line with a negative total',
    PART,
    end(() => total(-1)),
  ),
  lie(
    'an end line whose total is a text',
    PART,
    end((count) => `{"end":true,"total":"${count}"}`),
  ),
  lie(
    'an end line whose end is a text',
    REJECTED,
    end((count) => `{"end":"true","total":${count}}`),
  ),
  lie('a line after the end line', PART, (file) => {
    file.lines.push(
      total(file.lines.length),
      `{"id":"z","updated_at":"2026-11-29T00:00:00Z","x":"${CANARY}"}`,
    );
    file.end = null;
  }),
  lie('two end lines', PART, (file) => void file.lines.push(total(file.lines.length))),
  lie(
    'blank lines after the end line',
    READ,
    whole((text) => Buffer.concat([text, Buffer.from('\n \n\r\n')])),
  ),
  lie('an end line in its middle', PART, (file) => void file.lines.splice(5, 0, total(5))),
  lie(
    'a total beside it',
    READ,
    beside((count) => `${count}\n`),
  ),
  lie(
    'a total beside it with one too many',
    PART,
    beside((count) => String(count + 1)),
  ),
  lie(
    'a total beside it that is not a number',
    PART,
    beside(() => 'all'),
  ),
  lie(
    'a total beside it that is empty',
    PART,
    beside(() => ''),
  ),
  lie(
    'a total beside it that contradicts its end line',
    PART,
    (file) => void (file.beside = String(file.lines.length - 1)),
  ),
  lie(
    'no line at all',
    unproven,
    whole(() => Buffer.alloc(0)),
    { lines: () => [] },
  ),
  lie(
    'a byte order mark',
    READ,
    whole((text) => Buffer.concat([Buffer.from('\ufeff'), text])),
  ),
  lie('lines that end with CRLF', READ, (file) => void (file.newline = '\r\n')),
  lie('blank lines between', READ, (file) => void (file.newline = '\n \n\n')),
  lie('a last line without its end', READ, (file) => void (file.lastNewline = false)),
  lie(
    'UTF-16',
    FAILED,
    whole((text) => Buffer.from(text.toString(), 'utf16le')),
  ),
  lie(
    'UTF-16 with its mark',
    FAILED,
    whole((text) => Buffer.from(`\ufeff${text.toString()}`, 'utf16le')),
  ),
  lie(
    'gzip',
    FAILED,
    whole((text) => gzipSync(text)),
  ),
  lie(
    'a JSON array',
    FAILED,
    whole((text) => Buffer.from(`[${text.toString().trim().split('\n').join(',')}]`)),
  ),
  lie(
    'a page of HTML',
    FAILED,
    whole(() => Buffer.from(`<html>${CANARY}</html>`)),
  ),
  lie(
    'zeros',
    FAILED,
    whole((text) => Buffer.alloc(text.length)),
  ),
  lie('a directory', NOT_THERE, (file) => void (file.instead = 'directory')),
  lie('no file', NOT_THERE, (file) => void (file.instead = 'nothing')),
  lie('a link to itself', NOT_THERE, (file) => void (file.instead = 'loop')),
  lie('a pipe that nobody writes', NOT_THERE, (file) => void (file.instead = 'fifo')),
  lie('young, and unchanged', READ, (file) => void (file.young = true)),
  lie('of tomorrow', READ, (file) => void (file.mtime = new Date(Date.now() + 86_400_000))),
  lie('of 1970', READ, (file) => void (file.mtime = new Date(0))),
  lie(
    'growing',
    unproven,
    meanwhile((path) => appendFileSync(path, `{"id":"z","x":"${CANARY}"}\n`)),
  ),
  lie(
    'truncated meanwhile',
    unproven,
    meanwhile((path) => truncateSync(path, 100)),
  ),
  lie(
    'emptied meanwhile',
    unproven,
    meanwhile((path) => truncateSync(path, 0)),
  ),
  lie(
    'touched meanwhile',
    unproven,
    meanwhile((path) => utimesSync(path, new Date(), new Date(Date.now() + 5_000))),
  ),
  lie(
    'removed meanwhile',
    unproven,
    meanwhile((path) => rmSync(path)),
  ),
  lie(
    'replaced meanwhile',
    unproven,
    meanwhile((path) => {
      writeFileSync(`${path}.new`, '{}\n');
      renameSync(`${path}.new`, path);
    }),
  ),
];
