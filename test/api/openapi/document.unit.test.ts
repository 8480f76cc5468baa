/** The OpenAPI document is a reference: a valid example of every answer, and a description of every part. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   the document is untyped JSON, as for any client */
import path from 'node:path';
import { VERSION } from '../../../src/version.ts';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../../src/api/app.ts';
import { defineRoute, subApp } from '../../../src/api/http/route.ts';
import { readConfig } from '../../../src/config/config.ts';
import { connect } from '../../../src/db/connect.ts';
import { LiveParams } from '../../../src/job-params/live-params.ts';
import { createLog } from '../../../src/log.ts';
import { connectTemporal } from '../../../src/temporal/connect.ts';

const document = await readDocument();
const routes = routesOf(document);

/** The document of the app itself; no function that needs a server is called. */
async function readDocument(): Promise<any> {
  const nowhere = '127.0.0.1:9';
  const dir = path.resolve(import.meta.dirname, '../../../job_params');
  const config = readConfig({
    DATABASE_URL: `postgres://nobody@${nowhere}/none`,
    TEMPORAL_ADDRESS: nowhere,
    SYNCRATOR_SECRET: 'a secret of at least thirty-two characters',
    JOB_PARAMS: dir,
  });
  const liveParams = await LiveParams.open(dir);
  const app = createApp({
    config,
    db: connect(config.databaseUrl, { max: 1, applicationName: 'document', onError: () => undefined }),
    temporal: connectTemporal(config.temporal),
    params: liveParams.params,
    liveParams,
    log: createLog({ name: 'document', level: 'silent' }),
    changes: { subscribe: () => () => undefined, close: () => Promise.resolve() },
  });
  return (await app.request('/openapi.json')).json();
}

function routesOf(of: any): { name: string; route: any }[] {
  return Object.entries<any>(of.paths).flatMap(([where, methods]) =>
    Object.entries<any>(methods).map(([method, route]) => ({
      name: `${method.toUpperCase()} ${where}`,
      route,
    })),
  );
}

test('the document names the version of package.json', () => {
  expect(document.info.version).toBe(VERSION);
});

/** Each media type of each answer, with its examples. */
function answersOf(route: any): { status: number; type: string; schema: any; examples: any[] }[] {
  return Object.entries<any>(route.responses).flatMap(([status, answer]) =>
    Object.entries<any>(answer.content ?? {}).map(([type, { schema, example, examples = {} }]) => ({
      status: Number(status),
      type,
      schema,
      examples: [example, ...Object.values<any>(examples).map((one) => one.value)].filter(
        (one) => one !== undefined,
      ),
    })),
  );
}

/** How an example differs from its schema. */
function faultsOf(schema: any, example: unknown): string[] {
  const asDefinitions = (of: unknown) =>
    JSON.parse(JSON.stringify(of).replaceAll('#/components/schemas/', '#/$defs/'));
  // zod cannot express a choice between required fields, so this checks it.
  const { oneOf = [], ...rest } = schema;
  const met = oneOf.filter((one: any) =>
    one.required.every((field: string) => Object.hasOwn(example as object, field)),
  );
  if (oneOf.length > 0 && met.length !== 1) return ['not one of its alternatives'];
  const whole = { ...asDefinitions(rest), $defs: asDefinitions(document.components.schemas) };
  const result = z.fromJSONSchema(whole).safeParse(example);
  return result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

test('the document has all routes', () => {
  expect(routes.length).toBeGreaterThan(40);
});

test.each(routes)('$name has an example of each answer that matches its schema', ({ route }) => {
  const answers = answersOf(route);
  expect(answers.some(({ status }) => status < 300)).toBe(true);
  for (const { status, type, schema, examples } of answers) {
    expect(examples.length, `examples of ${status} ${type}`).toBeGreaterThan(0);
    for (const example of examples) expect(faultsOf(schema, example), `${status} ${type}`).toEqual([]);
  }
});

test.each(routes)('$name shows refusals under their own code and status', ({ route }) => {
  for (const [status, answer] of Object.entries<any>(route.responses)) {
    const problem = answer.content?.['application/problem+json'];
    for (const [code, { value }] of Object.entries<any>(problem?.examples ?? {}))
      expect([value.code, value.status, value.message]).toEqual([code, Number(status), value.detail]);
  }
});

test.each(routes)('$name describes each parameter and each field of its body', ({ route }) => {
  for (const { name, description, example, schema } of route.parameters ?? [])
    expect([description, example, schema.description, schema.example].join(''), name).not.toBe('');
  for (const { schema, example } of Object.values<any>(route.requestBody?.content ?? {})) {
    const shown = example ?? resolved(schema).example;
    expect(shown).toBeDefined();
    expect(faultsOf(schema, shown)).toEqual([]);
  }
});

const resolved = (schema: any) =>
  schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1)];

test.each(Object.keys(document.components.schemas))('The component %s is never null itself', (name) => {
  expect([document.components.schemas[name].type].flat()).not.toContain('null');
});

const VERBS =
  /^(Apply|Approve|Cancel|Check|Delete|End|Erase|Follow|Keep|List|Log|Pause|Plan|Read|Receive|Record|Renew|Report|Request|Resume|Roll|Set|Show|Start|Sync|Take|Update|Upload)\b/;
const BANNED =
  /\b(whoever|whatever|whom|nobody|somebody|anybody|what is|is told|goes on|go on|is to be had|no longer|as many as|a word of|of which)\b/i;

test.each(routes)('$name has a short summary that starts with a verb', ({ route }) => {
  expect(route.summary).toMatch(VERBS);
  expect(route.summary.length).toBeLessThanOrEqual(60);
  expect(route.summary).not.toMatch(BANNED);
});

/** Every description of the document, with its place; examples may use any words. */
function descriptionsOf(part: unknown, place = ''): [string, string][] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]): [string, string][] =>
    key === 'example' || key === 'examples'
      ? []
      : key === 'description' && typeof value === 'string'
        ? [[place, value]]
        : descriptionsOf(value, `${place}/${key}`),
  );
}

test('Every description is in plain English', () => {
  const all = descriptionsOf(document);
  expect(all.length).toBeGreaterThan(300);
  // Code in backquotes may contain any value.
  expect(all.filter(([, text]) => BANNED.test(text.replaceAll(/`[^`]*`/g, '')))).toEqual([]);
});

test.each(Object.entries<any>(document.components.schemas))(
  'Every field of the component %s has a description',
  (_, schema) => {
    const { properties = {} } = schema.items ?? schema;
    const without = Object.entries<any>(properties).filter(
      ([, field]) => resolved(field).description === undefined,
    );
    expect(without.map(([name]) => name)).toEqual([]);
  },
);

test('every tag has a description and a route', () => {
  const used = new Set(routes.flatMap(({ route }) => route.tags));
  expect(new Set(document.tags.map((tag: any) => tag.name))).toEqual(used);
  for (const { name, description } of document.tags) expect(description, name).toMatch(/\.$/);
});

test('a busy target is shown with its holder', () => {
  const { value } =
    document.paths['/run'].post.responses[409].content['application/problem+json'].examples.busy;
  expect(value).toMatchObject({ status: 409, code: 'busy', holder: { id: 7, action: 'sync' } });
});

test('the check finds a route without examples, or with a wrong one', () => {
  const app = subApp();
  const of = { method: 'get', tag: 'jobs', summary: 'One', access: 'read' } as const;
  const schema = z.object({ id: z.int() });
  app.openapi(
    defineRoute({ ...of, path: '/none', answers: { 200: { description: 'It.', schema } }, errors: [404] }),
    (c) => c.json({ id: 1 }),
  );
  const [found] = routesOf(app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: '', version: '' } }));
  const without = answersOf(found?.route).filter(({ examples }) => examples.length === 0);
  expect(without.map(({ status }) => status)).toEqual([200, 404]);
  expect(faultsOf({ $ref: '#/components/schemas/Job' }, { id: 'seven' })).not.toEqual([]);
});
