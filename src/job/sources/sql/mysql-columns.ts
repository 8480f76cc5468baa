/** Names the types of MySQL's columns, by the numbers of its protocol. */
import type { FieldPacket } from 'mysql2';
import type { Column } from '../columns.ts';
import { WITHOUT_TIME_OF_DAY_MS, WITHOUT_ZONE_MS } from './zone.ts';

const NAMES: Readonly<Record<number, string>> = {
  0: 'DECIMAL',
  1: 'TINYINT',
  2: 'SMALLINT',
  3: 'INT',
  4: 'FLOAT',
  5: 'DOUBLE',
  7: 'TIMESTAMP',
  8: 'BIGINT',
  9: 'MEDIUMINT',
  10: 'DATE',
  11: 'TIME',
  12: 'DATETIME',
  13: 'YEAR',
  15: 'VARCHAR',
  16: 'BIT',
  245: 'JSON',
  246: 'DECIMAL',
  249: 'TINYTEXT',
  250: 'MEDIUMTEXT',
  251: 'LONGTEXT',
  252: 'TEXT',
  253: 'VARCHAR',
  254: 'CHAR',
  255: 'GEOMETRY',
};

/** Types of times, with `lateMs`. */
const TIMES: Readonly<Record<string, number>> = {
  DATE: WITHOUT_TIME_OF_DAY_MS,
  DATETIME: WITHOUT_ZONE_MS,
  TIMESTAMP: 0,
};
/** Types whose values are text unless their character set is `binary`. */
const TEXTS = new Set(['VARCHAR', 'CHAR', 'TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT']);
const BINARY = 63;

export function columnOf({ name, columnType = -1, characterSet, extendedFormat }: FieldPacket): Column {
  // MariaDB stores JSON as LONGTEXT and tells the difference beside the type.
  const type = extendedFormat === 'json' ? 'JSON' : (NAMES[columnType] ?? `type ${columnType}`);
  const lateMs = TIMES[type];
  if (lateMs !== undefined) return { name, type, holds: 'time', lateMs };
  const isBinary = (TEXTS.has(type) && characterSet === BINARY) || type === 'BIT' || type === 'GEOMETRY';
  return { name, type, holds: isBinary ? 'binary' : 'other' };
}
