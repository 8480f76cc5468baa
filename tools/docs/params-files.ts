/** docs/reference/params-files.md: the keys that the parser accepts, with their descriptions. */
import { ACTION_PARAMETERS_NAMES } from '../../src/job-params/action-parameters.ts';
import { KEY_DESCRIPTIONS } from '../../src/job-params/key-descriptions.ts';
import { PARAM_KEYS } from '../../src/job-params/values.ts';
import { code, page, table } from './markdown.ts';

/** Fields of a request, by the value of PARAMETERS. */
const FIELDS: Readonly<Record<string, string>> = {
  REMOVE: '`description`',
  SET_STATUS: '`releaseStatus`: `DRAFT`, `PENDING_RELEASE` or `PENDING_DELETE`; `description` is optional',
  BUMP:
    '`description`, `bumpFromVersion`, `bumpToVersion`, and `bumpManifesto` with `version`, `description`, `releaseTime`, ' +
    '`languageCode`, `updateType` and `dataStructureUpdates` of `name`, `description`, `operation`, `releaseStatus`; for the ' +
    'target `DATASTORE` only',
};
const OPTIONAL_DESCRIPTION = '`description` is optional';

/** @throws Error that names keys without a description, and descriptions without a key */
export function paramsFilesPage(): string {
  const unsaid = PARAM_KEYS.filter((key) => KEY_DESCRIPTIONS[key] === undefined);
  const stale = Object.keys(KEY_DESCRIPTIONS).filter(
    (key) => !(PARAM_KEYS as readonly string[]).includes(key),
  );
  if (unsaid.length + stale.length > 0)
    throw new Error(
      `src/job-params/key-descriptions.ts lacks ${unsaid.join(', ')}; unknown there: ${stale.join(', ')}`,
    );
  return page(
    'Params files',
    'A params file declares one action of a target in an environment: `job_params/<env>/<target>-<action>.public_params`. Api and ' +
      'worker read all of them at their start, and do not start if one has an error. They [read them again](../how-to/params-files.md) ' +
      'when one changes; then an error leaves the last good state in use. `npx syncrator params check` prints each error with file, ' +
      'line and key.',
    'A file has `KEY=value` lines, split at the first `=`, without quoting. `#` starts a comment at the beginning of a line only. ' +
      'Unknown and repeated keys are errors. Durations are `90s`, `10m`, `6h`.',
    table(
      ['Key', 'Default', 'Meaning'],
      PARAM_KEYS.map((key) => [
        code(key),
        KEY_DESCRIPTIONS[key]?.default ?? '',
        KEY_DESCRIPTIONS[key]?.text ?? '',
      ]),
    ),
    '## `PARAMETERS`',
    'With `PARAMETERS`, a request must give these fields beside the target. They are checked once, frozen, and shown in the ' +
      "job's `parameters`.",
    table(
      ['Name', 'Fields of a request'],
      ACTION_PARAMETERS_NAMES.map((name) => [code(name), FIELDS[name] ?? OPTIONAL_DESCRIPTION]),
    ),
  );
}
