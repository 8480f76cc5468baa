/** The questions of `target add` name settings that exist, under the source or sink that they are asked for. */
import { expect, it } from 'vitest';
import { TARGET_SETTINGS } from '../../src/job/setting-descriptions.ts';
import { SINKS, SOURCES } from '../../src/operator/target-add/questions.ts';

it.each([
  ...Object.entries(SOURCES).map(([name, kind]) => [`\`SOURCE=${name}\``, kind] as const),
  ...Object.entries(SINKS).map(([name, kind]) => [`\`SINK=${name}\``, kind] as const),
])('%s', (heading, { questions }) => {
  const known = (TARGET_SETTINGS[heading] ?? []).map(({ name }) => name);
  expect(known).toEqual(expect.arrayContaining(questions.map(({ key }) => key)));
});
