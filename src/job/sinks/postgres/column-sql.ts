/**
 * SQL between the field of a record and the value of its column, in both directions. A value that does not fit becomes
 * NULL and never an error: live records may be older than the list, or written by others.
 */
import { escapeLiteral } from 'pg';
import { type ColumnType, FORMS, LEAST_DOUBLE, sqlName, WHOLE } from '../../columns/column-types.ts';

/** Numbers from here on round to infinity: half a unit beyond the largest double. */
const BEYOND_DOUBLE = 2n ** 1024n - 2n ** 970n;

/** The value of the column, of exactly its type. @param field SQL of a jsonb; NULL and JSON null give NULL */
export function valueOf(type: ColumnType, field: string): string {
  const sql = sqlName(type);
  const whenOf = (kind: string, then: string): string =>
    `CASE WHEN jsonb_typeof(${field}) = '${kind}' THEN ${then} END`;
  const whenForm = (form: keyof typeof FORMS, then: string): string =>
    whenOf('string', `CASE WHEN ${text(field)} ~ ${escapeLiteral(FORMS[form])} THEN ${then} END`);
  const number = `(${field})::numeric`;
  switch (type.name) {
    case 'text':
      return whenOf('string', text(field));
    case 'boolean':
      return whenOf('boolean', `(${field})::boolean`);
    case 'integer':
    case 'bigint': {
      const [least, most] = WHOLE[type.name];
      const fits = `${number} BETWEEN ${least} AND ${most}`;
      return whenOf(
        'number',
        `CASE WHEN ${fits} THEN CASE WHEN ${number} % 1 = 0 THEN ${number}::${sql} END END`,
      );
    }
    case 'numeric':
      return whenOf('number', numericOf(type, number));
    case 'double precision': {
      const size = `abs(${number})`;
      // Slightly below the least that the check of records lets through, which rounding may have raised.
      const fits = `${number} = 0 OR ${size} >= ${(LEAST_DOUBLE * 0.999).toString()} AND ${size} < ${BEYOND_DOUBLE}`;
      return whenOf('number', `CASE WHEN ${fits} THEN ${number}::float8 END`);
    }
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return whenForm(type.name, `CASE WHEN ${isDay(text(field))} THEN ${text(field)}::${sql} END`);
    case 'uuid':
      return whenForm('uuid', `${text(field)}::uuid`);
    case 'jsonb':
      return `nullif(${field}, 'null'::jsonb)`;
    case 'text[]':
      return whenOf('array', textsOf(field));
  }
}

/** A jsonb that `valueOf` turns into the same value again, whatever the settings of the session. */
export function fieldOf({ name }: ColumnType, column: string): string {
  if (name !== 'timestamptz') return column;
  const utc = `(${column} AT TIME ZONE 'UTC')`;
  // Others may write infinity and years that have another form; a rollback refuses those.
  const isPlain = `${utc} >= '0001-01-01' AND ${utc} < '10000-01-01'`;
  return `CASE WHEN ${isPlain} THEN to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE ${column}::text END`;
}

function text(field: string): string {
  return `(${field} #>> '{}')`;
}

function numericOf({ precision, scale = 0 }: ColumnType, number: string): string {
  if (precision === undefined) return number;
  const fits = `${number} = round(${number}, ${scale}) AND abs(${number}) < 1e${precision - scale}`;
  return `CASE WHEN ${fits} THEN ${number}::numeric(${precision},${scale}) END`;
}

/** Whether a text of the right form is a day: 29 February needs a leap year. */
function isDay(time: string): string {
  const year = `substr(${time}, 1, 4)::int`;
  const isLeap = `${year} % 4 = 0 AND (${year} % 100 <> 0 OR ${year} % 400 = 0)`;
  return `substr(${time}, 5, 6) <> '-02-29' OR ${isLeap}`;
}

function textsOf(field: string): string {
  const others = `jsonb_path_exists(${field}, 'strict $[*] ? (@.type() <> "string")')`;
  const texts = `SELECT t FROM jsonb_array_elements_text(${field}) WITH ORDINALITY AS e (t, nth) ORDER BY nth`;
  return `CASE WHEN NOT ${others} THEN ARRAY(${texts}) END`;
}
