/** The vocabulary of lies over HTTP: which answers they change, and how. */

import { gzipSync } from 'node:zlib';
import { always, type Answer, type Ask, but, ends, type HttpTold, type Lie, UNPROVEN } from './lie.ts';
import type { Fate } from './model.ts';
import { CANARY } from './story.ts';

export type Change = (answer: Answer, ask: Ask) => void;

/** Every answer that lists, the first request included. */
export const every =
  (change: Change): HttpTold =>
  (answer, ask) => {
    if (ask.kind !== 'asked') change(answer, ask);
  };
export const listing =
  (change: Change, when: (ask: Ask) => boolean = () => true): HttpTold =>
  (answer, ask) => {
    if (ask.kind === 'listing' && when(ask)) change(answer, ask);
  };
/** One request only. */
export const once = (change: Change): HttpTold => listing(change, ({ nth, chosen }) => nth === chosen);
/** A request and every later one. */
export const onward = (change: Change): HttpTold => listing(change, ({ nth, chosen }) => nth >= chosen);
/** One page, not the first. */
export const later = (change: Change): HttpTold =>
  listing(change, ({ nth, chosen }) => nth === 1 + (chosen % 3));
export const asked =
  (change: Change): HttpTold =>
  (answer, ask) => {
    if (ask.kind === 'asked') change(answer, ask);
  };

export const lie = (name: string, fate: Fate | Lie['fate'], http: HttpTold): Lie => ({
  name,
  only: 'http',
  fate: typeof fate === 'function' ? fate : always(fate),
  http,
});

export const FAILED = ends('failed');
export const PART = ends('incompleteListing');
export const LOST = ends('sourceUnreachable');
export const LATE = ends('sourceTimeout');
export const UNAUTHORIZED = ends('sourceUnauthorized');
export const unproven = but(UNPROVEN, 'changes');
export const whenAsked = (fate: Fate): Lie['fate'] => but(fate, 'changes');

export const status =
  (
    code: number,
    headers: Record<string, string> = {},
    body: Buffer | undefined = Buffer.from(`{"message":"${CANARY}"}`),
  ): Change =>
  (answer) =>
    Object.assign(answer, { status: code, headers: { ...answer.headers, ...headers }, body, more: false });
export const header =
  (name: string, value: string | undefined): Change =>
  (answer) =>
    void (answer.headers[name] = value);
export const total =
  (of: (count: number, ask: Ask) => string | number | undefined): Change =>
  (answer, ask) => {
    const told = of(ask.lines.length, ask);
    answer.total = told === undefined ? undefined : String(told);
  };
export const packed =
  (encoding: string, pack: (body: Buffer) => Buffer): Change =>
  (answer) => {
    answer.headers['content-encoding'] = encoding;
    answer.pack = pack;
  };
export const body =
  (text: string | Buffer, type = 'application/x-ndjson'): Change =>
  (answer) => {
    answer.headers['content-type'] = type;
    answer.body = Buffer.from(text);
  };
export const cut =
  (at: (body: Buffer) => number, and: 'end' | 'reset' | 'silence'): Change =>
  (answer) =>
    void (answer.cut = { at, and });
export const spoilt = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  for (const at of [8, 7, 6, 5]) copy[copy.length - at] = (copy.at(-at) ?? 0) ^ 0xff;
  return copy;
};
export const middle = (bytes: Buffer): number => Math.floor(bytes.length / 2);
export const shortened =
  (by: (text: Buffer) => number): Change =>
  (answer) => {
    const pack = answer.pack;
    answer.pack = (bytes) => (pack ?? ((same) => same))(bytes.subarray(0, by(bytes)));
  };
export const inLine = (text: Buffer): number => Math.max(1, text.length - 10);
/** Cuts between the two bytes of an é; lists of ids have none. */
export const inUtf8 = (text: Buffer): number => text.lastIndexOf(Buffer.from('é')) + 1 || inLine(text);
export const page = '<!doctype html><html><form action="/login">';
export const twoMembers = (bytes: Buffer): Buffer =>
  Buffer.concat([gzipSync(bytes.subarray(0, middle(bytes))), gzipSync(bytes.subarray(middle(bytes)))]);
export const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();
