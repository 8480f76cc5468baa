/** Descriptions of the keys of a params file, for docs/reference/params-files.md. Backticks are Markdown's. */

export type KeyDescription = {
  /** Markdown; empty for a required key, or for one that is off. */
  readonly default: string;
  readonly text: string;
};

/** A check compares these with the keys that the parser takes. */
export const KEY_DESCRIPTIONS: Readonly<Record<string, KeyDescription>> = {
  TARGET: {
    default: 'required',
    text: 'Data set that is synchronised. Lock, row and workflow carry this name.',
  },
  ENV: { default: 'required', text: 'Environment; the name of the folder.' },
  ACTION_NAME: {
    default: 'required',
    text: 'Name of the action in paths, in lists of jobs and in the name of the file.',
  },
  ACTION: {
    default: 'required',
    text: 'Action that the program performs: `sync`, `delta`, `delete`, `diff`, or a custom one.',
  },
  IS_TAG: { default: 'required', text: 'Tag of the image `SYNCRATOR_IMAGE`.' },
  OPTIONS: {
    default: 'required',
    text:
      'Arguments, split at spaces: `-n N` records a batch (into Postgres 5,000 at least), `-c N` batches at once, `--debug`, ' +
      '`--force-delete`; `--item ID` of a delta of `SOURCE=gitlab`, repeated; for Solr ' +
      '`--switch_solr_alias --target_env <env> --target <app>`.',
  },
  RUNNER: {
    default: "the installation's `RUNNER`",
    text:
      '`external`: no step runs, [an executor of yours](../how-to/external-executor.md) does the work. `TARGET`, ' +
      '`ACTION_NAME` and `ACTION` may then have capitals. Else `kubernetes` or `process`.',
  },
  TARGET_PATTERN: {
    default: '',
    text:
      'Of `RUNNER=external`: a pattern of whole names. It has letters, digits, `-`, `_`, `.`, `\\d`, `\\w` and classes such ' +
      'as `[A-Z0-9_]`, each optionally followed by `*`, `+`, `?` or `{1,3}`; `\\|` separates alternatives; no ' +
      'groups, no backtracking. The file serves every target that matches, unless another file of the environment declares ' +
      'that target. `TARGET` is the name of the family. If two such files declare one action, the first by name counts. No ' +
      '`SCHEDULE`.',
  },
  PARAMETERS: {
    default: '',
    text: 'Of `RUNNER=external`: what a request must give beside the target ([below](#parameters)). No `SCHEDULE`.',
  },
  IMAGE: { default: '`SYNCRATOR_IMAGE:IS_TAG`', text: 'Image to use instead, with its tag or digest.' },
  COMMAND: {
    default: '`syncrator-job`',
    text: 'Program to run instead of ours ([guide](../how-to/own-program.md)).',
  },
  EXIT_CODES: {
    default: '`own`',
    text: 'For `COMMAND` and `IMAGE`: `syncrator` if its exit codes have the meanings of [ours](programs.md#exit-codes).',
  },
  CALLER_OPTIONS: {
    default: '`true`; with `COMMAND` or `IMAGE` `false`',
    text:
      'Whether callers of `POST /run` may replace `OPTIONS`, `IS_TAG` and `MAM_MAIN_QUERY` of the file. No caller may ' +
      'give `--api_job_id`, and `--force-delete` needs its right.',
  },
  SCHEDULE: {
    default: '',
    text:
      'Five cron fields, or `every 60s`. Fields are numbers, ranges, steps, lists, and names such as `MON` or `JAN`; no `L`, ' +
      '`W`, `#` or `?`. Day of the month *and* day of the week must match, unlike in crontab ' +
      '([guide](../how-to/schedules-and-maintenance.md)).',
  },
  MODE: {
    default: '`apply`',
    text:
      'What `SCHEDULE` starts: the action, or with `plan` only a plan of it, which a person applies ' +
      '([guide](../how-to/plans.md)). Of a sync, delta or delete.',
  },
  TIMEZONE: { default: 'UTC', text: 'Zone of `SCHEDULE` by its full name, such as `Europe/Brussels`.' },
  TIMEOUT: { default: '`6h`', text: 'Longest run of a step.' },
  START_TIMEOUT: { default: '`10m`', text: 'Longest wait until the program of a step runs.' },
  STALLED_AFTER: {
    default: '`30s`; `1h` with `RUNNER=external`',
    text: 'Silence after which a running step is shown as `stalled`. It continues.',
  },
  NO_PROGRESS_AFTER: {
    default: '`30m`; `6h` with `RUNNER=external`',
    text:
      'Time after which a running step is shown as `stalled` if its reports stay the same (phase, counts, message, ' +
      'checkpoint) and report no wait. It continues.',
  },
  RETRIES: {
    default: '0',
    text: 'New attempts after a disruption from outside, 10 at most; other failures are not retried.',
  },
  CPU: { default: '`500m`', text: 'CPU that a pod requests and is limited to.' },
  MEMORY: { default: '`512Mi`', text: 'Memory that a pod requests and is limited to.' },
  POD_OVERRIDES: {
    default: '',
    text: 'JSON added to the pod ([closed list](../how-to/kubernetes.md#add-to-a-pod)).',
  },
  MAX_DELETE_PERCENT: {
    default: '10',
    text: 'If a job would remove more than this *and* `MAX_DELETE_RECORDS`, the removals wait for an answer, or the job is refused; 0 allows none ([limits](../data.md#limits)).',
  },
  MAX_DELETE_RECORDS: {
    default: '5',
    text: 'Records that may be removed even if the percentage allows fewer.',
  },
  MAX_UPDATE_PERCENT: {
    default: '',
    text: 'A sync or delta that would change more of the live records is refused.',
  },
  APPROVALS: {
    default: '1',
    text:
      'Of a sync: people who must approve that held records are removed, 1 or 2 ' +
      '([guide](../how-to/losses.md)).',
  },
  QUEUE: {
    default: '`refuse`',
    text:
      'What a start meets while another job holds the target. `refuse`: 409. `one`: it is remembered as the *one* next start ' +
      'of the target, takes the place of an earlier remembered one, and becomes a job when the target is free ' +
      '([guide](../how-to/conflicts.md#queue-one-start)).',
  },
  QUEUE_BEHIND: {
    default: '[the table](../how-to/conflicts.md#queue-one-start)',
    text: 'Of `QUEUE=one`: the actions of the running job that a start may wait for, such as `delta,delete`; behind others it is refused.',
  },
  SOURCE_NAME: {
    default: '',
    text:
      'Name of the source that the action reads. `SOURCE_LIMIT` counts jobs by it ' +
      '([guide](../how-to/conflicts.md#limit-the-jobs-of-a-source)). Not with `RUNNER=external`.',
  },
  PROMOTE_FROM: {
    default: '',
    text:
      'Environment in which the same must have run first: a start is refused (`not_promoted`) unless a job of this target ' +
      'and action completed there within `PROMOTE_WITHIN`, with the same image, command and options ' +
      '([guide](../how-to/conflicts.md#start-only-what-ran-elsewhere)).',
  },
  PROMOTE_WITHIN: { default: '`7d`', text: 'Of `PROMOTE_FROM`: a number of hours, days, weeks or years.' },
  MAM_MAIN_QUERY: { default: '', text: 'Passed to the program unchanged.' },
};
