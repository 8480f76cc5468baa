/** Records of the stand-in repository, and its answers to each verb in the words of OAI-PMH 2.0. */

export type OaiRecord = {
  readonly id: string;
  readonly stamp: string;
  readonly sets?: readonly string[];
  readonly isDeleted?: boolean;
  /** The content of `metadata` by prefix; only these formats exist for the record. */
  readonly formats: Readonly<Record<string, string>>;
};

export type Mode = 'no' | 'transient' | 'persistent';

export class OaiRefusal extends Error {
  readonly code: string;
  constructor(code: string, words: string) {
    super(words);
    this.code = code;
  }
}

export function dublinCore(fields: string): string {
  return `<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd">${fields}</oai_dc:dc>`;
}

/** Records oai:x:1 … of Dublin Core with a title. */
export function someRecords(count: number, stamp = '2025-06-01T12:00:00Z'): OaiRecord[] {
  return Array.from({ length: count }, (_, at) => titled(`oai:x:${String(at + 1).padStart(4, '0')}`, stamp));
}

export function titled(id: string, stamp: string, title = 'first', sets: readonly string[] = []): OaiRecord {
  return { id, stamp, sets, formats: { oai_dc: dublinCore(`<dc:title>${title}</dc:title>`) } };
}

export function document(body: string, now = new Date()): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
<responseDate>${now.toISOString().slice(0, 19)}Z</responseDate>
<request>http://example.org/oai</request>
${body}
</OAI-PMH>
`;
}

export function header({ id, stamp, sets = [], isDeleted }: OaiRecord): string {
  const specs = sets.map((set) => `<setSpec>${set}</setSpec>`).join('');
  const status = isDeleted ? ' status="deleted"' : '';
  return `<header${status}><identifier>${escaped(id)}</identifier><datestamp>${stamp}</datestamp>${specs}</header>`;
}

export function recordXml(record: OaiRecord, prefix: string): string {
  if (record.isDeleted) return `<record>${header(record)}</record>`;
  return `<record>${header(record)}<metadata>${record.formats[prefix]}</metadata><about><x xmlns="urn:x">rights</x></about></record>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
