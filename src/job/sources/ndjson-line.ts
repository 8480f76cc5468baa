/** Turns one NDJSON line into a record, or says exactly what is wrong with it. */

import { JobError } from '../job-error.ts';
import type { SourceRecord } from './source.ts';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
/** Names the line in an error: a number within its page or file. */
type Where = () => string;

/** A number JSON.parse could round: 16 digits or more. Also matches digits in strings, which costs time only. */
const LONG_NUMBER = /\d[\d.]{15}/;

// Not yet in TypeScript's lib; V8 has it since Node 21. https://github.com/tc39/proposal-json-parse-with-source
type ParseWithSource = {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};
const exact = JSON as unknown as ParseWithSource;

/** The record of a line; fails, naming the line, if it is none. */
export function parseRecord(line: string, where: Where): SourceRecord {
  const { id, updated_at, ...record } = parseObject(line, where);
  if (typeof updated_at !== 'string' || !ISO_TIME.test(updated_at)) {
    throw malformed(where, `"updated_at" is not an ISO 8601 time with a zone`);
  }
  return { id: checkedId(id, where), updated_at, record };
}

/** The id of a line of which only that is needed. */
export function parseId(line: string, where: Where): string {
  return checkedId(parseObject(line, where)['id'], where);
}

function checkedId(id: unknown, where: Where): string {
  if (typeof id !== 'string' || id === '') throw malformed(where, '"id" is not a text');
  return id;
}

function parseObject(line: string, where: Where): Record<string, unknown> {
  if (line.includes('\\u0000')) throw malformed(where, 'it contains the character U+0000');
  let value: unknown;
  try {
    value = LONG_NUMBER.test(line) ? exact.parse(line, keepNumber) : JSON.parse(line);
  } catch (error) {
    throw malformed(where, 'it is not JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(where, 'it is not an object');
  return value as Record<string, unknown>;
}

function keepNumber(_key: string, value: unknown, context: { source?: string }): unknown {
  return typeof value === 'number' && context.source !== undefined && String(value) !== context.source
    ? exact.rawJSON(context.source)
    : value;
}

function malformed(where: Where, why: string, cause?: unknown): JobError {
  // The line's text stays out: it is data, not ours to log.
  return new JobError('failed', `malformed record at ${where()}: ${why}`, { cause });
}
