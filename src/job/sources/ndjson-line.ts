/** Turns one NDJSON line into a record, or says exactly what is wrong with it. */

import { JobError } from '../job-error.ts';
import type { SourceRecord } from './source.ts';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
/** Names the line in an error: a number within its page or file. */
type Where = () => string;

/** A number JSON.parse could round: 16 digits or more. Also matches digits in strings, which costs time only. */
const LONG_NUMBER = /\d[\d.]{15}/;

const ESCAPED_NUL = /(?<!\\)(?:\\\\)*\\u0000/;

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
  let value: unknown;
  try {
    value = JSON.parse(line);
    if (mayHoldNumbers(value) && LONG_NUMBER.test(line)) value = exact.parse(line, keepNumber);
  } catch (error) {
    throw malformed(where, 'it is not JSON', error);
  }
  if (!isObject(value)) throw malformed(where, 'it is not an object');
  // Postgres cannot keep it, and would say so without the line.
  if (line.includes('\\u0000') && ESCAPED_NUL.test(line))
    throw malformed(where, 'it contains the character U+0000');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Texts alone, the common case, are spared the search for long numbers. */
function mayHoldNumbers(value: unknown): boolean {
  return isObject(value) && Object.values(value).some((field) => typeof field !== 'string');
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
