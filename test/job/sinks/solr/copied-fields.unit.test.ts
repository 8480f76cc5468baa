/** The fields that copyField rules fill: a copy of a document leaves out these and no other. */
import { expect, test } from 'vitest';
import { isCopied } from '../../../../src/job/sinks/solr/index-only.ts';

const RULES = [
  { source: '*_txt', dest: '*_s' },
  { source: 'name', dest: 'name_sort' },
  { source: 'label_*', dest: 'labels' },
  { source: '*', dest: '_text_' },
];

test.each([
  ['kind_s', ['id', 'title_txt', 'kind_s'], false],
  ['title_s', ['id', 'title_txt', 'title_s'], true],
  ['name_sort', ['id', 'name', 'name_sort'], true],
  ['name_sort', ['id', 'name_sort'], false],
  ['labels', ['id', 'label_de', 'labels'], true],
  ['labels', ['id', 'labels'], false],
  ['_text_', ['id', '_text_'], true],
  ['title_txt', ['id', 'title_txt'], false],
])('%s of a document with %j: %s', (name, names, copied) => {
  expect(isCopied(name, names, RULES)).toBe(copied);
});
