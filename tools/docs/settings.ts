/** docs/reference/settings.md: names and defaults from the schema, with the descriptions of another file. */
import { z } from 'zod';
import { settings } from '../../src/config/config.ts';
import { OTHER_SETTINGS, SETTING_DESCRIPTIONS } from '../../src/config/setting-descriptions.ts';
import { TARGET_SETTINGS } from '../../src/job/setting-descriptions.ts';
import { code, page, table } from './markdown.ts';

/** @throws Error that names settings without a description, and descriptions without a setting */
export function settingsPage(): string {
  const { properties = {} } = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' });
  const names = Object.keys(properties);
  const unsaid = names.filter((name) => SETTING_DESCRIPTIONS[name] === undefined);
  const stale = Object.keys(SETTING_DESCRIPTIONS).filter((name) => !names.includes(name));
  if (unsaid.length + stale.length > 0)
    throw new Error(
      `src/config/setting-descriptions.ts lacks ${unsaid.join(', ')}; unknown there: ${stale.join(', ')}`,
    );
  const rows = names.map((name) => [
    code(name),
    defaultOf(name, properties[name]),
    SETTING_DESCRIPTIONS[name]?.text ?? '',
  ]);
  const others = OTHER_SETTINGS.map((one) => [code(one.name), one.default, one.text]);
  return page(
    'Settings',
    'Api, worker and `npm start` read their settings from the environment, once, at their start. `npm start` also reads `.env`; ' +
      'an exported variable wins. A wrong or missing setting stops the start, and the message names all of them.',
    '## Settings of api and worker',
    table(['Variable', 'Default', 'Meaning'], [...rows, ...others]),
    '## Settings of a target',
    'Only the sync program reads them: from the Secret or ConfigMap `syncrator-envtarget-<env>-<target>` on Kubernetes, from ' +
      '`.data/envtarget/<env>-<target>.env` with `RUNNER=process`. They are never set for api or worker. An empty value counts as ' +
      'not set. Limits (`MAX_DELETE_PERCENT` and others) are keys of [params files](params-files.md).',
    ...Object.entries(TARGET_SETTINGS).flatMap(([heading, rows]) => [
      `### ${heading}`,
      table(
        ['Setting', 'Default', 'Meaning'],
        rows.map((one) => [code(one.name), one.default, one.text]),
      ),
    ]),
  );
}

function defaultOf(name: string, schema: unknown): string {
  const without = SETTING_DESCRIPTIONS[name]?.without;
  if (without !== undefined) return without;
  const { default: value = '' } = schema as { default?: string | number | boolean };
  return code(String(value));
}
