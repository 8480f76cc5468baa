/** Any text as CSV: what is read is what RFC 4180 says, or the file is refused, or a bad line is told. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JobError } from '../../../../src/job/job-error.ts';
import { collect } from '../../support/fake-source.ts';
import { folder, open } from './support/folder.ts';

const SIGNS = ['a', 'b', ',', '"', '\n', '""', ',"', '",', '\r\n', 'ä', 'id', 'x,y\n', '"q",', '"v\nw"'];
const RECORD = fc.array(fc.constantFrom(...SIGNS), { maxLength: 14 });
/** Records with ids of their own, so that one of them that is lost is seen. */
const TEXT = fc.array(RECORD, { minLength: 1, maxLength: 3 }).map((parts) => {
  const lines = parts.map((part, at) => `k${at},${part.join('')}\n`);
  return `id,name\n${lines.join('')}end,last\n`;
});

it('a CSV file is read as it stands, or refused, or has a bad line', async () => {
  await fc.assert(
    fc.asyncProperty(TEXT, async (text) => {
      const path = folder().put('a.csv', text);
      const source = open(path, { SOURCE_FILE_COMPLETE: 'true' });
      try {
        const batches = await collect(source.changedSince(null, null, 1000));
        if (batches.some(({ rejected }) => rejected.length > 0)) return;
        const read = batches.flatMap(({ records }) =>
          records.map(({ id, record }) => [id, record['name'] ?? '']),
        );
        expect(new Map(read as [string, unknown][])).toEqual(new Map(divided(text)));
      } catch (error) {
        // Vitest's own errors are no refusal.
        if (!(error instanceof JobError)) throw error;
        expect(error.message).toContain(path);
      } finally {
        await source.close?.();
      }
    }),
    { numRuns: 60 },
  );
});

/** The rows by RFC 4180; null for a text that breaks it. Values beyond the header are left out if they are empty. */
function divided(text: string): [string, string][] | null {
  const rows: string[][] = [];
  let rest = text;
  let row: string[] = [];
  while (rest !== '') {
    const quoted = /^"((?:[^"]|"")*)"(?=,|\r?\n)/.exec(rest);
    const plain = quoted ? null : /^(?!")[^,\n]*?(?=,|\r?\n)/.exec(rest);
    const cell = quoted ?? plain;
    if (cell === null) return null;
    row.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"') : cell[0]);
    rest = rest.slice(cell[0].length);
    if (rest.startsWith(',')) {
      rest = rest.slice(1);
      continue;
    }
    rest = rest.replace(/^\r?\n/, '');
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (rows.some(([, , ...more]) => more.some((value) => value !== ''))) return null;
  return rows.slice(1).map(([id = '', name = '']) => [id, name]);
}
