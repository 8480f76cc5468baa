/**
 * Lists rows of SQLite. A text may hold bytes that are not UTF-8, which the library would replace by U+FFFD without a word.
 * So the first U+FFFD begins the listing again behind the rows before, with a test of each value: whether it is stored so.
 */
import { setImmediate } from 'node:timers/promises';
import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Part, Selection } from './dialect.ts';
import type { Row } from '../row-line.ts';
import { groupsOf } from '../in-groups.ts';
import { deletedText } from './deleted-rows.ts';
import { GRAMMAR, isReplacement, quoted, timeOf } from './sqlite-grammar.ts';
import { jsonObject } from './sqlite-values.ts';
import { listStatement } from './statements.ts';

const REPLACEMENT = '\uFFFD';
const NOT_UTF8 = 'one of its texts is not UTF-8; convert it in the database';

type Statements = { readonly prepare: (sql: string) => StatementSync; readonly restart: () => void };

type Values = readonly SQLOutputValue[];

export function rowsOf(statements: Statements, of: Selection, part: Part): AsyncGenerator<Row[]> {
  const names = of.fields.map(({ name }) => name);
  const fields = names.map((name) => `q.${quoted(name)}`);
  const time = of.updatedAt === null ? 'NULL' : timeOf(`q.${quoted(of.updatedAt.name)}`);
  const texts = [GRAMMAR.id(of.id), ...fields];
  return listed<Row>(statements, {
    of,
    part,
    what: [GRAMMAR.id(of.id), time, deletedText(of, part, { name: quoted, timeOf }), ...fields],
    tests: texts.map(isReplacement),
    idOf: ({ id }) => id,
    isSuspect: ({ id, record }) => id.includes(REPLACEMENT) || record.includes(REPLACEMENT),
    make([id, at, deleted, ...rest], tested) {
      const values = rest.slice(0, names.length);
      const wrong = tested
        ? [id, ...values].map((value, nth) => isWrong(value, rest[names.length + nth]))
        : [];
      return {
        id: wrong[0] ? '' : (textOf(id) ?? ''),
        at: textOf(at),
        deleted: textOf(deleted),
        record: jsonObject(names, values),
        ...(wrong.includes(true) ? { fault: NOT_UTF8 } : {}),
      };
    },
  });
}

export function idsOf(statements: Statements, of: Selection, part: Part): AsyncGenerator<string[]> {
  const id = GRAMMAR.id(of.id);
  return listed<string>(statements, {
    of,
    part,
    what: [id],
    tests: [isReplacement(id)],
    idOf: (text) => text,
    isSuspect: (text) => text.includes(REPLACEMENT),
    make: ([text, test], tested) => (tested && isWrong(text, test) ? '' : (textOf(text) ?? '')),
  });
}

type Listing<T> = {
  readonly of: Selection;
  readonly part: Part;
  readonly what: readonly string[];
  /** Selected behind `what` once a row is suspect. */
  readonly tests: readonly string[];
  readonly idOf: (made: T) => string;
  readonly isSuspect: (made: T) => boolean;
  readonly make: (values: Values, tested: boolean) => T;
};

async function* listed<T extends string | Row>(
  statements: Statements,
  { of, part, what, tests, idOf, isSuspect, make }: Listing<T>,
): AsyncGenerator<T[]> {
  let { after } = part;
  const plain = listStatement(of, part, GRAMMAR, { what });
  let isPlain = true;
  for await (const group of grouped(statements, plain, (values) => make(values, false))) {
    isPlain = !group.some(isSuspect);
    if (!isPlain) break;
    yield group;
    const last = group.at(-1);
    after = (last === undefined ? '' : idOf(last)) || after;
  }
  if (isPlain) return;
  const tested = listStatement(of, { ...part, after }, GRAMMAR, { what: [...what, ...tests] });
  yield* grouped(statements, tested, (values) => make(values, true));
}

async function* grouped<T extends string | Row>(
  { prepare, restart }: Statements,
  sql: string,
  make: (values: Values) => T,
): AsyncGenerator<T[]> {
  const lengthOf = (made: string | Row): number =>
    typeof made === 'string' ? made.length : made.record.length;
  const rows = prepare(sql).iterate();
  for (const group of groupsOf(rows, { make: (row) => make(valuesOf(row)), lengthOf })) {
    yield group;
    await setImmediate();
    restart();
  }
}

/** Whether the library has put a U+FFFD where none is stored. */
function isWrong(value: SQLOutputValue | undefined, test: SQLOutputValue | undefined): boolean {
  return typeof value === 'string' && value.includes(REPLACEMENT) && Number(test) === 0;
}

/** The types of node:sqlite know rows as objects alone. */
export function valuesOf(row: unknown): Values {
  return (row ?? []) as Values;
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
