/** Writes a record of OAI-PMH as a line of source `ndjson`, so that one check (record-check.ts) serves every source. */
import { type Line, UnreadableLine } from '../lines.ts';
import { dublinCoreFields, isDublinCore } from './dublin-core.ts';
import { timeOf } from './granularity.ts';
import { metadataTree } from './metadata-tree.ts';
import { attributeOf, childOf, childText, type XmlElement } from './xml-element.ts';

const MOST_LENGTH = 16 * 1024 * 1024;
const RESERVED: ReadonlySet<string> = new Set(['id', 'updated_at', 'sets']);

export type OaiHeader = {
  /** Empty: the header has none, or is not readable. */
  readonly id: string;
  readonly datestamp: string;
  readonly isDeleted: boolean;
  /** setSpecs, sorted. */
  readonly sets: readonly string[];
};

const UNREADABLE: OaiHeader = { id: '', datestamp: '', isDeleted: false, sets: [] };

export function headerOf(header: XmlElement | undefined): OaiHeader {
  if (header === undefined || header.fault !== null) return UNREADABLE;
  const sets = header.children.filter(({ name }) => name === 'setSpec').map(({ text }) => text.trim());
  return {
    id: childText(header, 'identifier') ?? '',
    datestamp: childText(header, 'datestamp') ?? '',
    isDeleted: attributeOf(header, 'status') === 'deleted',
    sets: [...new Set(sets)].filter((set) => set !== '').toSorted(),
  };
}

export function recordLine(record: XmlElement, { id, datestamp, sets }: OaiHeader): Line {
  const unreadable = (why: string): Line => new UnreadableLine(why, id === '' ? null : id);
  if (record.fault !== null) return unreadable(record.fault);
  const metadata = childOf(record, 'metadata')?.children[0];
  if (metadata === undefined) return unreadable('it has no metadata, and its header does not say deleted');
  // Without a prototype, since `__proto__` is a name that XML allows.
  const line = Object.assign(Object.create(null) as object, { id, updated_at: timeOf(datestamp) }) as Record<
    string,
    unknown
  >;
  if (sets.length > 0) line['sets'] = sets;
  if (!isDublinCore(metadata)) line['metadata'] = metadataTree(metadata);
  else
    for (const [name, texts] of dublinCoreFields(metadata))
      line[RESERVED.has(name) ? `${name}_` : name] = texts;
  const text = JSON.stringify(line);
  return text.length > MOST_LENGTH ? unreadable('it is longer than 16 MiB') : text;
}

/** The line of an id alone. */
export function headerLine({ fault }: XmlElement, { id }: OaiHeader): Line {
  return fault === null ? JSON.stringify({ id }) : new UnreadableLine(fault);
}
