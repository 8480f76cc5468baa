/**
 * Checks the records of every source. Every sink can store a record that passes and return it unchanged. A refused
 * record is set aside with a reason that tells how to fix it and contains none of its data.
 */
import { depthOf, MOST_DEPTH } from './record-depth.ts';
import { hasDelicateNumbers, NumberTooLong, parseExactly } from './record-number.ts';
import { normalTime } from './record-time.ts';
import type { SourceRecord } from './source.ts';

/** The reason why a record is refused. */
export class RecordFault {
  /** null: its id is not readable. */
  readonly id: string | null;
  readonly why: string;

  constructor(id: string | null, why: string) {
    this.id = id;
    this.why = why;
  }
}

/** Fits into an index entry of Postgres with room to spare. */
const MOST_ID_BYTES = 1000;
/** A deeper line is not parsed at all: parsing it could exhaust the memory of the pod. */
const MOST_PARSED_DEPTH = 10_000;

export function checkRecord(line: string): SourceRecord | RecordFault {
  const value = parsedObject(line);
  if (value instanceof RecordFault) return value;
  const id = checkedId(value['id']);
  if (id instanceof RecordFault) return id;
  const fault = faultOfContent(line, value);
  if (fault !== null) return new RecordFault(id, fault);
  const { updated_at: told } = value;
  const updatedAt = typeof told === 'string' ? normalTime(told) : null;
  if (updatedAt === null) {
    const form = 'expected ISO 8601 with a zone, such as 2026-11-01T09:30:00Z';
    return new RecordFault(id, `its "updated_at" is not a valid time: ${form}`);
  }
  return withExactNumbers(line, value, id, updatedAt);
}

/** Checks only the id of a line. */
export function checkId(line: string): string | RecordFault {
  const value = parsedObject(line);
  return value instanceof RecordFault ? value : checkedId(value['id']);
}

function withExactNumbers(
  line: string,
  value: Readonly<Record<string, unknown>>,
  id: string,
  updated_at: string,
): SourceRecord | RecordFault {
  let whole = value;
  if (mayHoldNumbers(value) && hasDelicateNumbers(line)) {
    try {
      whole = parseExactly(line) as Record<string, unknown>;
    } catch (error) {
      if (!(error instanceof NumberTooLong)) throw error;
      const limits = '131,072 digits before the point or 16,383 after it';
      return new RecordFault(id, `a number has more than ${limits}; send it as text`);
    }
  }
  const { id: _id, updated_at: _time, ...record } = whole;
  return { id, updated_at, record };
}

function checkedId(id: unknown): string | RecordFault {
  if (typeof id !== 'string' || id === '')
    return new RecordFault(null, 'its "id" is not a text or is empty; give every record its own id');
  // A UTF-16 unit has at most three bytes in UTF-8.
  if (id.length * 3 > MOST_ID_BYTES && Buffer.byteLength(id) > MOST_ID_BYTES)
    return new RecordFault(null, 'its "id" has more than 1,000 bytes; use a shorter one');
  const fault = faultOfText(id);
  return fault === null ? id : new RecordFault(null, `its "id" ${fault}`);
}

function parsedObject(line: string): Record<string, unknown> | RecordFault {
  const depth = depthOf(line);
  if (depth > MOST_PARSED_DEPTH) return new RecordFault(null, tooDeep(depth));
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's message quotes the data.
    return new RecordFault(null, 'it is not JSON; each line must be one JSON object');
  }
  if (Array.isArray(value))
    return new RecordFault(null, 'it is a JSON array; write one object per line instead');
  if (!isObject(value))
    return new RecordFault(null, 'it is not an object; each line must be one JSON object');
  if (depth <= MOST_DEPTH) return value;
  const id = checkedId(value['id']);
  return new RecordFault(typeof id === 'string' ? id : null, tooDeep(depth));
}

function tooDeep(depth: number): string {
  return `it is nested ${depth} levels deep; flatten it to at most ${MOST_DEPTH}`;
}

/** A UTF-8 line can contain unstorable characters only as escapes, so lines without a backslash need no check. */
function faultOfContent(line: string, value: unknown): string | null {
  return line.includes('\\') ? faultWithin(value) : null;
}

/** Checks all texts of a value and all names of its fields; the value must not be too deep. */
function faultWithin(value: unknown): string | null {
  if (typeof value === 'string') {
    const fault = faultOfText(value);
    return fault === null ? null : `one of its texts ${fault}`;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const ofKey = faultOfName(key);
    const fault = ofKey === null ? faultWithin(inner) : `the name of a field ${ofKey}`;
    if (fault !== null) return fault;
  }
  return null;
}

/**
 * V8's parser may confuse a name that contains an escape with an earlier name: after `{"\\":1}` it reads
 * `{"\u00e9":1}` as `{"\\":1}` (seen in Node 24.21). The confused name always contains a backslash, so such names
 * are refused.
 */
function faultOfName(name: string): string | null {
  if (!name.includes('\\')) return faultOfText(name);
  return 'contains a backslash or an escape; rename it without them';
}

function faultOfText(text: string): string | null {
  if (text.includes('\0')) return 'contains the character U+0000; remove it';
  return text.isWellFormed() ? null : 'contains half of a surrogate pair; send whole characters';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Records of texts alone, the common case, skip the search for delicate numbers. */
function mayHoldNumbers(value: Readonly<Record<string, unknown>>): boolean {
  for (const key in value) {
    const field = value[key];
    if (typeof field === 'number' || (typeof field === 'object' && field !== null)) return true;
  }
  return false;
}
