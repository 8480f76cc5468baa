/** Descriptions of the settings of api and worker, for docs/reference/settings.md. Backticks are Markdown's. */

export type SettingDescription = {
  readonly text: string;
  /** For settings without a default in the schema: what happens without the setting. */
  readonly without?: string;
};

/** By the name in the schema of config.ts; a check ensures that each has one. */
export const SETTING_DESCRIPTIONS: Readonly<Record<string, SettingDescription>> = {
  PORT: { text: 'Port of the api; 0 chooses a free one.' },
  HOST: { text: 'Address that the api listens on.' },
  DATABASE_URL: {
    text: 'PostgreSQL 15 or newer, as `postgres://user:password@host:port/database`; `?sslmode=verify-full` for TLS.',
    without: '`npm start`: an embedded PostgreSQL. Else required',
  },
  TEMPORAL_ADDRESS: {
    text: 'Temporal, as `host:port`, or `[address]:port` for IPv6.',
    without: '`npm start`: an embedded Temporal. Else required',
  },
  TEMPORAL_NAMESPACE: { text: 'Namespace in Temporal; preferably used by Syncrator only.' },
  TEMPORAL_UI_URL: { text: "Address of Temporal's Web UI, for links from jobs.", without: 'no links' },
  TEMPORAL_TLS: {
    text: 'TLS to Temporal, with the authorities that Node knows and those of `NODE_EXTRA_CA_CERTS`.',
    without: '`true` with any of the next settings',
  },
  TEMPORAL_TLS_CA_FILE: { text: "Authority of Temporal's certificate." },
  TEMPORAL_TLS_CERT_FILE: { text: 'Our own certificate (mTLS); with `TEMPORAL_TLS_KEY_FILE`.' },
  TEMPORAL_TLS_KEY_FILE: { text: 'Its key.' },
  TEMPORAL_TLS_SERVER_NAME: {
    text: "Name in Temporal's certificate, if it is not the host of `TEMPORAL_ADDRESS`.",
  },
  TEMPORAL_API_KEY: { text: 'Sent with each call, over TLS only.' },
  RUNNER: { text: 'Executes steps: supervised processes of the worker, or Kubernetes Jobs.' },
  PROGRAM_USER: {
    text:
      'User of programs with `RUNNER=process`. `own`, if the worker is root: each target has its own user (60578 to ' +
      '61183) with a home in `.data/homes`. Its programs reach no secret in the data folder except the settings of their ' +
      "target (those of the demo hold the embedded Postgres' own password). Make readable what they need, such as a " +
      '`SOURCE_FILE`; protect other secrets from them (`chmod 600 .env`). `worker`: the user of the worker. That ' +
      'also applies if the worker is not root, as in the image and in compose, or if no other user can reach the checkout, ' +
      "as in root's home; programs can then read what the worker can. The block after `ready`, or `where` in the worker's " +
      'line `worker is ready`, tells which applies.',
  },
  KUBERNETES_CONTEXT: { text: 'Context of the kubeconfig (`KUBECONFIG`).', without: 'the current one' },
  KUBERNETES_NAMESPACE: {
    text: 'Namespace of the Jobs.',
    without: "in a cluster the pod's own; else the context's, else `default`",
  },
  SYNCRATOR_IMAGE: { text: 'Image of the sync program, without a tag: `IS_TAG` gives the tag.' },
  KUBERNETES_POD_OVERRIDES: {
    text: 'JSON added to every pod ([closed list](../how-to/kubernetes.md#add-to-a-pod)); a params file wins.',
  },
  SYNCRATOR_DATA: {
    text:
      'Folder of everything that `npm start` and `RUNNER=process` keep: databases, logs, secret, runs. Two `npm start` ' +
      'with different `PORT` and `SYNCRATOR_DATA` run side by side.',
  },
  JOB_PARAMS: { text: 'Folder of the params files.' },
  SYNCRATOR_SECRET: {
    text:
      'Signs logins and report tokens; 32 characters or more, `new,old` while rotating ' +
      '([rotation](../production.md#rotate-syncrator_secret)).',
    without: '`npm start`: `.data/secret`. Else required',
  },
  SYNCRATOR_ADMIN_PASSWORD: {
    text: 'Password of the first user, `admin`; used only while there is no user.',
    without: 'generated, and printed once',
  },
  SYNCRATOR_REPORT_BASE_URL: {
    text: 'Address of the api as running programs reach it.',
    without: '`http://HOST:PORT`, with 127.0.0.1 if `HOST` means every address',
  },
  NOTIFICATIONS_FILE: {
    text: 'Receivers of notifications ([format](../how-to/monitoring.md#notify-people-and-systems)); read by the worker.',
    without: 'no notifications',
  },
  SYNCRATOR_PUBLIC_URL: { text: 'Address of the web page as people reach it, for links in notifications.' },
  METRICS_PORT: {
    text:
      'Port of `GET /metrics` of api or worker, without a token: keep it off public networks; 0 chooses a free one. With `npm start` it ' +
      "is the api's, and the worker has the next one.",
    without: 'no metrics',
  },
  METRICS_HOST: { text: 'Address on which the metrics are served.' },
  TEMPORAL_METRICS_PORT: {
    text: "Port of the metrics of the worker's Temporal SDK, on `METRICS_HOST`.",
    without: 'none',
  },
  HEALTH_FILE: { text: 'File that the worker touches every 10 s.' },
  WORKFLOW_BUNDLE: {
    text:
      'File that `npm run bundle -- <file>` wrote. A worker with it, `MALLOC_ARENA_MAX=2` and ' +
      '`MALLOC_TRIM_THRESHOLD_=131072` is some 150 MB smaller; `npm start` sets all three.',
    without: 'the worker bundles its workflows at its start',
  },
  PUBLIC_READS: { text: '`true`: GET needs no token, under the names of `ALLOWED_HOSTS`.' },
  ALLOWED_HOSTS: {
    text:
      'With `PUBLIC_READS=true`: names of this api, separated by commas; a read under another name is answered 421. ' +
      '`*.example.org` is every name below it, `*` any. Always allowed: addresses, `localhost`, names without a dot, those ' +
      'of Services, and the hosts of `HOST`, `SYNCRATOR_PUBLIC_URL` and `SYNCRATOR_REPORT_BASE_URL`. Metrics on a ' +
      'loopback `METRICS_HOST` always check names.',
    without: 'any name, if `SYNCRATOR_PUBLIC_URL` is not set either and `HOST` is more than this machine',
  },
  KEEP_ALIVE_SECONDS: {
    text: 'Seconds that the api keeps an idle connection open, 5 to 3600: more than the proxy before it.',
  },
  OIDC_ISSUER: {
    text: 'Issuer whose tokens are accepted beside our own ([guide](../how-to/users-and-access.md#accept-tokens-of-your-identity-provider)); https, or http on this machine.',
  },
  OIDC_AUDIENCE: { text: 'Audience that its tokens must have.' },
  JWKS_URL: { text: "Address of the issuer's keys.", without: 'by discovery' },
  OIDC_ROLE_CLAIM: {
    text: 'Claims that may hold a role; the first that a token has counts.',
    without: '`accreditation/role,role`',
  },
  OIDC_ROLES: {
    text: '`<value>=<role>[:<env>+<env>[:<action>+<action>]]`, separated by commas.',
    without: 'no mapping',
  },
  OIDC_DEFAULT_ROLE: {
    text: 'Role of tokens that no mapping matches: `viewer`, `operator`, `admin` or `none`.',
    without: '`viewer`',
  },
  OIDC_MAX_AGE: {
    text: 'Age since its `iat` at which a token is rejected, even if its `exp` is later; `off`: only `exp` counts.',
    without: '`24h`',
  },
  OIDC_TYP: {
    text: 'Value that the header or the claim `typ` of its tokens must have, such as `at+jwt`, or `Bearer` (Keycloak).',
  },
  LOCAL_LOGIN: { text: '`false`, with an issuer only: closes `POST /login` and its renewal.' },
  TRUSTED_PROXIES: {
    text: 'Addresses and networks of your proxies, separated by commas; their `X-Forwarded-For` is trusted.',
  },
  INPUT_DIR: { text: 'Folder of importable datasets; every api process must see the same one.' },
  ITEM_BANK: {
    text: "`<target>/<env>` of `POST /sync` and GitLab's webhook; its sync and delta must be declared.",
  },
  GITLAB_HOOK_SECRET: { text: 'Secret that GitLab sends with each webhook; 16 characters or more.' },
  ACCOUNT: {
    text: '`<target>/<env>`, whose `sync` `PATCH /api/syncall` starts. If it is not declared in job_params, the api does not start.',
  },
  SOURCE_LIMIT: {
    text:
      'Jobs that may read one source at a time, over all targets, as `mam:2,erp:1`; the params key `SOURCE_NAME` names the source ' +
      'of a job. Others wait (`source_limit`). The worker reads it ' +
      '([guide](../how-to/conflicts.md#limit-the-jobs-of-a-source)).',
    without: 'no limit',
  },
  LOG_LIMIT: {
    text:
      "Bytes kept of a step's log, half for its beginning and half for its end; set it equally for api and worker. With " +
      '`RUNNER=process` the log file of a running step takes this much disk, up to 15 MiB more, and what its program prints ' +
      'in 250 ms.',
  },
  KEEP_LOGS: {
    text: "Age after the job's end at which the worker deletes logs: `36h`, `90d`, `8w`, `2y` or `off`.",
  },
  KEEP_JOBS: {
    text: "Age after the job's end at which the worker deletes it with its steps, reports, firings and audit lines.",
  },
  LOG_LEVEL: { text: "`debug` adds a line for every request, and the Temporal SDK's own." },
};

/** Variables that no schema reads: those of Node, of the kubeconfig, or of programs that we start. */
export const OTHER_SETTINGS: readonly {
  readonly name: string;
  readonly default: string;
  readonly text: string;
}[] = [
  {
    name: 'DATABASE_PASSWORD',
    default: '',
    text: 'Password for a `DATABASE_URL` without one.',
  },
  {
    name: '<NAME>_FILE',
    default: '',
    text:
      'File that holds the value of `DATABASE_URL`, `DATABASE_PASSWORD`, `SYNCRATOR_SECRET`, ' +
      '`SYNCRATOR_ADMIN_PASSWORD`, `GITLAB_HOOK_SECRET` or `TEMPORAL_API_KEY`.',
  },
  { name: 'KUBECONFIG', default: 'in-cluster credentials', text: 'Kubeconfig of `RUNNER=kubernetes`.' },
  {
    name: 'SYNCRATOR_CACHE',
    default: '`~/.cache/syncrator`',
    text: 'Cache of the Temporal and Kubernetes programs.',
  },
  {
    name: 'NODE_EXTRA_CA_CERTS',
    default: '',
    text: "Node's own variable: certificates of further authorities.",
  },
];
