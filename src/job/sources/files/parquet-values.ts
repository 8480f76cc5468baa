/** Writes values of DuckDB as JSON, in the forms that SOURCE=sql has for PostgreSQL. */
import type * as duckdb from '@duckdb/node-api';
import { jsonBytes, jsonNumber } from '../json-values.ts';

type Ids = typeof duckdb.DuckDBTypeId;

export type ParquetValues = {
  readonly json: (value: duckdb.DuckDBValue, type: duckdb.DuckDBType) => string;
  /** Whether values of the type can be times. */
  readonly isTime: (type: duckdb.DuckDBType) => boolean;
};

/** @param ids of the types; the library is loaded on first use */
export function createParquetValues(ids: Ids): ParquetValues {
  const stamps: ReadonlySet<number> = new Set([
    ids.TIMESTAMP,
    ids.TIMESTAMP_S,
    ids.TIMESTAMP_MS,
    ids.TIMESTAMP_NS,
    ids.TIMESTAMP_TZ,
  ]);
  const plain: ReadonlySet<number> = new Set([
    ids.BIGINT,
    ids.UBIGINT,
    ids.HUGEINT,
    ids.UHUGEINT,
    ids.DECIMAL,
  ]);

  function json(value: duckdb.DuckDBValue, type: duckdb.DuckDBType): string {
    if (value === null || value === undefined) return 'null';
    const { typeId: id } = type;
    if (typeof value === 'number') return jsonNumber(id === ids.FLOAT ? shortest(value) : value);
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'string') return JSON.stringify(value);
    if (plain.has(id)) return String(value);
    if (stamps.has(id)) return JSON.stringify(stamp(String(value)));
    return jsonOfParts(value, type) ?? JSON.stringify(String(value));
  }

  /** null for a type without parts. */
  function jsonOfParts(value: duckdb.DuckDBValue, type: duckdb.DuckDBType): string | null {
    if (type.typeId === ids.BLOB) return jsonBytes((value as duckdb.DuckDBBlobValue).bytes);
    if (type.typeId === ids.LIST || type.typeId === ids.ARRAY) {
      const { valueType } = type as duckdb.DuckDBListType;
      return `[${(value as duckdb.DuckDBListValue).items.map((item) => json(item, valueType)).join(',')}]`;
    }
    if (type.typeId === ids.STRUCT) {
      const { entryNames, entryTypes } = type;
      const { entries } = value as duckdb.DuckDBStructValue;
      return object(
        entryNames.map((name, at) => [name, json(entries[name] ?? null, entryTypes[at] ?? type)]),
      );
    }
    if (type.typeId === ids.MAP) {
      const { keyType, valueType } = type;
      const { entries } = value as duckdb.DuckDBMapValue;
      return object(entries.map(({ key, value: one }) => [keyOf(json(key, keyType)), json(one, valueType)]));
    }
    return null;
  }

  return {
    json,
    isTime: ({ typeId }) => stamps.has(typeId) || typeId === ids.DATE || typeId === ids.VARCHAR,
  };
}

function object(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

function keyOf(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

/** `2026-07-01 10:00:00.5+00` in ISO 8601; infinity as it is. */
function stamp(text: string): string {
  return text
    .replace(/^(\d{4}-\d\d-\d\d) (\S+)$/, '$1T$2')
    .replace(/([+-]\d\d)$/, (zone, _at, at: number) => (at > 10 ? `${zone}:00` : zone));
}

/** The shortest number that is this one in 32 bits. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
