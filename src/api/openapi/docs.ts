/** `/docs` and `/openapi.json`: the OpenAPI document of all routes, and Swagger UI served from disk. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { VERSION } from '../../version.ts';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../context.ts';
import { addExamples } from './document-examples.ts';
import { subApp } from '../http/route.ts';

const FOLDER = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const FILES = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
} as const;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Syncrator API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true });\n";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCHEMES = {
  bearer:
    "A token from POST /login, an access token of the OIDC issuer, or a program's token (`syncrator tokens create`).",
  report: 'The SYNCRATOR_REPORT_TOKEN of the reporting attempt.',
};

const INFO = {
  openapi: '3.1.0',
  info: {
    title: 'Syncrator',
    version: VERSION,
    description:
      'Starts, watches, cancels and schedules data-synchronisation jobs. Errors are RFC 9457 problems with `code` and `message`. ' +
      'All times are UTC in ISO-8601.',
  },
  security: [{ bearer: [] }],
  tags: [
    {
      name: 'start',
      description: 'Start or dry-run jobs, by the actions that job_params declares or by parameters.',
    },
    { name: 'jobs', description: 'List, show, resume and cancel jobs; read their progress and logs.' },
    {
      name: 'losses',
      description:
        'Records that a job held back because too many were missing: look at them, approve or keep.',
    },
    {
      name: 'plans',
      description: 'What a job would change, record by record: look at it, then apply exactly that.',
    },
    { name: 'events', description: 'Follow changes as Server-Sent Events.' },
    {
      name: 'sync_jobs',
      description: "Sync programs' own records of their runs, including runs started outside of Syncrator.",
    },
    { name: 'targets', description: 'Targets with their environments, declared actions and last jobs.' },
    { name: 'maintenance', description: 'The flag that keeps queued jobs from starting.' },
    { name: 'params files', description: 'Whether the params files in use are those on disk.' },
    { name: 'schedules', description: 'Jobs that start by cron expression or interval.' },
    { name: 'item bank', description: 'Items of a GitLab group, imported when they change.' },
    { name: 'datasets', description: 'Tar files in INPUT_DIR that are ready for import.' },
    { name: 'account', description: "An account's records, synchronised with a web API." },
    { name: 'audit', description: 'Append-only record of who did what, from where and why.' },
    { name: 'login', description: 'Log in, renew a token, and show the permissions of a token.' },
    { name: 'health', description: 'Liveness and readiness probes.' },
  ],
};

/** @param whole the app whose routes are described */
export function docs(whole: OpenAPIHono<ApiEnv>) {
  const app = subApp();
  for (const [scheme, description] of Object.entries(SCHEMES))
    whole.openAPIRegistry.registerComponent('securitySchemes', scheme, {
      type: 'http',
      scheme: 'bearer',
      description,
    });
  let described: object | undefined;
  app.get('/openapi.json', (c) => {
    described ??= addExamples(whole.getOpenAPI31Document(INFO));
    return c.json(described);
  });
  app.get('/docs', (c) => c.html(PAGE, 200, { 'content-security-policy': POLICY }));
  app.get('/docs/start.js', (c) => c.body(START, 200, { 'content-type': 'text/javascript' }));
  for (const [file, type] of Object.entries(FILES))
    app.get(`/docs/${file}`, async (c) =>
      c.body(await readFile(path.join(FOLDER, file)), 200, {
        'content-type': type,
        'cache-control': 'public, max-age=3600',
      }),
    );
  return app;
}
