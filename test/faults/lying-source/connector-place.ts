/** A connector of the Airbyte protocol, or a Singer tap, as a source: a stand-in that tells the records of a file. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Row } from './model.ts';
import type { RowPlace } from './row-lie.ts';

export type Protocol = 'airbyte' | 'singer';

export type ConnectorPlace = RowPlace & {
  readonly protocol: Protocol;
  /** Of the stand-in: its fault and its files. */
  config: Record<string, unknown>;
  /** The second reading tells these records instead. */
  tellAgain(rows: readonly Row[]): void;
};

const STAND_IN = path.resolve(import.meta.dirname, '../../support/connector/stand-in.ts');

export function connectorPlace(protocol: Protocol): ConnectorPlace {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-lying-connector-'));
  const at = (name: string): string => path.join(folder, name);
  const place: ConnectorPlace = {
    protocol,
    config: {},
    settings: {},
    since: () => -Infinity,
    shape: (row) => row,
    async put(rows, proven) {
      rmSync(at('again.json.begun'), { force: true });
      write('records.json', rows);
      place.config = { records: at('records.json') };
      place.settings = {
        SOURCE: 'connector',
        CONNECTOR: `${process.execPath} ${STAND_IN}`,
        CONNECTOR_PROTOCOL: protocol,
        CONNECTOR_STREAM: protocol === 'airbyte' ? 'places' : 'public-places',
        SOURCE_UPDATED_AT: 'updated_at',
        ...(protocol === 'singer' && proven ? { CONNECTOR_EXIT_COMPLETE: 'true' } : {}),
      };
    },
    tellAgain(rows) {
      write('again.json', rows);
      place.config['again'] = at('again.json');
    },
    async ready() {
      place.settings['CONNECTOR_CONFIG'] = JSON.stringify(place.config);
    },
    settle: async () => {},
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
  function write(name: string, rows: readonly Row[]): void {
    const records = rows.map(({ id, updated_at, json }) => ({
      ...(JSON.parse(json) as object),
      id,
      updated_at,
    }));
    writeFileSync(at(name), JSON.stringify(records));
  }
  return place;
}
