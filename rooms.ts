/**
 * The rooms of the source and the imports that each may make: of our rooms, and of packages. A room that is not named may
 * not be imported; `:type` allows types alone. Rooms with `node: false` take no module of Node: `src/domain` is
 * pure, Temporal replays `workflows` in its sandbox, and browsers run `src/web` and `src/client`. test/repository/imports.unit.test.ts plants violations.
 */
type Room = { path: string; imports?: string; packages?: string; node?: false };

/** A folder is a room; a file may besides do as the line of its own says. */
const ROOMS: Record<string, Room> = {
  root: {
    path: 'src/{server,worker,dev}.ts',
    imports:
      'domain config job-params auth db api compat engine metrics notifications temporal runner runner-process runner-kubernetes embedded activities process',
    packages: '@hono/node-server @temporalio/worker',
  },
  process: {
    path: 'src/{log,version,exit-message,v8-flags,workflow-bundle}.ts',
    imports: 'db process',
    packages: 'pino @temporalio/worker',
  },
  domain: { path: 'src/domain', node: false },
  config: { path: 'src/config', imports: 'domain', packages: 'zod' },
  'job-params': { path: 'src/job-params', imports: 'domain config', packages: 'zod' },
  auth: { path: 'src/auth', imports: 'domain' },
  db: { path: 'src/db', imports: 'domain', packages: 'kysely pg' },
  render: { path: 'src/runner/*/render.ts' },
  'runner-process': { path: 'src/runner/process', imports: 'domain runner render' },
  'runner-kubernetes': {
    path: 'src/runner/kubernetes',
    imports: 'domain runner render',
    packages: '@kubernetes/client-node undici yaml',
  },
  runner: { path: 'src/runner', imports: 'domain' },
  temporal: {
    path: 'src/temporal',
    imports: 'domain config:type job-params:type db process:type',
    packages: '@temporalio/client @temporalio/common',
  },
  engine: {
    path: 'src/engine',
    imports: 'domain job-params db runner:type temporal process',
    packages: '@temporalio/client',
  },
  notifications: { path: 'src/notifications', imports: 'domain db:type', packages: 'yaml zod' },
  metrics: {
    path: 'src/metrics',
    imports: 'domain config:type job-params db temporal engine process',
    packages: 'prom-client',
  },
  workflows: {
    path: 'workflows',
    imports: 'domain activities:type',
    packages: '@temporalio/workflow @temporalio/common',
    node: false,
  },
  activities: {
    path: 'activities',
    imports: 'domain job-params auth db runner temporal engine notifications process',
    packages: '@temporalio/activity @temporalio/common',
  },
  'api-app': { path: 'src/api/app.ts', imports: 'compat' },
  compat: {
    path: 'src/api/compat',
    imports: 'domain config:type job-params db engine api',
    packages: 'hono @hono/zod-openapi rate-limiter-flexible',
  },
  api: {
    path: 'src/api',
    imports: 'domain config job-params auth db render temporal engine process',
    packages:
      'hono @hono/node-server @hono/zod-openapi zod kysely jose @node-rs/argon2 rate-limiter-flexible @temporalio/client',
  },
  client: {
    path: 'src/client',
    packages: 'eventsource-parser openapi-fetch syncrator',
    node: false,
  },
  'cli-root': { path: 'src/cli/{main,program}.ts', imports: 'operator' },
  terminal: { path: 'src/terminal', imports: 'client', packages: '@clack/prompts commander yaml' },
  cli: { path: 'src/cli', imports: 'domain process client terminal', packages: 'commander yaml zod' },
  operator: {
    path: 'src/operator',
    imports: 'domain config job-params auth db engine api client terminal embedded runner-process',
    packages: '@clack/prompts commander',
  },
  'operator-commands': { path: 'src/operator/commands.ts', imports: 'root' },
  web: {
    path: 'src/web',
    imports: 'domain client',
    packages: 'react react-dom @mantine/core @mantine/hooks @tanstack/* uplot',
    node: false,
  },
  'vite-config': { path: 'src/{web,client}/vite.config.ts', packages: 'vite' },
  job: {
    path: 'src/job',
    imports: 'domain',
    packages: '@duckdb/node-api aws4fetch commander mysql2 node:sqlite pg pg-copy-streams saxes undici zod',
  },
  embedded: { path: 'src/embedded', imports: 'runner-process', packages: '@temporalio/client pg zod' },
};

const isFile = ({ path }: Room) => path.endsWith('.ts');
const words = (text = '') => text.split(' ').filter(Boolean);
const select = (name: string) => {
  const room = ROOMS[name];
  if (!room) throw new Error(`rooms.ts has no room ${name}`);
  return isFile(room) ? { file: { categories: name } } : { element: { type: name } };
};
const allow = (from: string, to: object, kind?: string) => ({
  from: select(from),
  allow: { to, ...(kind && { dependency: { kind } }) },
});

export const elements = Object.entries(ROOMS)
  .filter(([, room]) => !isFile(room))
  .map(([type, { path }]) => ({ type, pattern: path }));

export const files = Object.entries(ROOMS)
  .filter(([, room]) => isFile(room))
  .map(([category, { path }]) => ({ category, pattern: path }));

export const policies = Object.entries(ROOMS).flatMap(([from, room]) => [
  ...words(room.imports).map((word) => {
    const [name = '', kind] = word.split(':');
    return allow(from, select(name), kind);
  }),
  ...words(room.packages).map((source) => allow(from, { module: { origin: 'external', source } })),
  ...(room.node === false ? [] : [allow(from, { module: { origin: 'core' } })]),
]);
