/**
 * `npm run bench [-- <group> ...] [-- --once]`: measures each claim beside the plain solution. Prints each figure
 * as a line of JSON, and a table at the end. The table tells which bounds hold; the exit code does not, because
 * machines differ.
 */
import { parseArgs } from 'node:util';
import * as cold from './cold.ts';
import * as events from './events.ts';
import type { Figure } from './figure.ts';
import * as growth from './growth.ts';
import * as kubernetes from './kubernetes.ts';
import * as listing from './listing.ts';
import * as load from './load.ts';
import * as page from './page.ts';
import * as plans from './plans.ts';
import * as runs from './runs.ts';
import * as solr from './solr.ts';
import * as sources from './sources.ts';
import * as start from './start.ts';
import { table } from './table.ts';
import * as volume from './volume.ts';
import * as wal from './wal.ts';

type Group = { readonly group: string; readonly run: (options: { once: boolean }) => Promise<Figure[]> };

const GROUPS: readonly Group[] = [
  load,
  wal,
  volume,
  plans,
  sources,
  start,
  cold,
  runs,
  growth,
  listing,
  events,
  page,
  solr,
  kubernetes,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { once: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !GROUPS.some(({ group }) => group === name));
if (unknown.length > 0) {
  const names = GROUPS.map(({ group }) => group).join(', ');
  console.error(`no group ${unknown.join(', ')}; groups: ${names}`);
  process.exit(1);
}

const figures: Figure[] = [];
for (const group of GROUPS) {
  if (positionals.length > 0 && !positionals.includes(group.group)) continue;
  for (const figure of await group.run(values)) {
    figures.push(figure);
    const { bench, unit, ours, raw, bound } = figure;
    console.log(JSON.stringify({ bench, unit, ours, raw, bound }));
  }
}
console.log(table(figures).join('\n'));
