/** `/docs` and `/openapi.json`: the routes as their declarations describe them; Swagger UI from disk, offline. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from './context.ts';
import { addExamples } from './document-examples.ts';
import { subApp } from './route.ts';

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
    "A token that POST /login gave, one of the OIDC issuer, or a program's (`syncrator tokens create`).",
  report: 'The SYNCRATOR_REPORT_TOKEN of the attempt that reports.',
};

const INFO = {
  openapi: '3.1.0',
  info: {
    title: 'Syncrator',
    version: '0.1.0',
    description:
      'Starts, watches, cancels and schedules data-synchronisation jobs. Errors are RFC 9457 problems with `code` and `message`. ' +
      'Times are UTC, ISO-8601.',
  },
  security: [{ bearer: [] }],
  tags: [
    { name: 'start', description: 'Starts and dry runs, by what job_params declares or by parameters.' },
    { name: 'jobs', description: 'What was asked for, how it goes, what came of it.' },
    { name: 'events', description: 'Changes as they happen, as Server-Sent Events.' },
    { name: 'sync_jobs', description: "Sync programs' own records, also of runs started elsewhere." },
    { name: 'targets', description: 'What can be run where, and how it stands.' },
    { name: 'maintenance', description: 'The flag that holds back what has not begun.' },
    { name: 'schedules', description: 'What runs by itself.' },
    { name: 'item bank', description: 'Items of a GitLab group, brought when they change.' },
    { name: 'datasets', description: 'Tar files that lie ready to be imported.' },
    { name: 'account', description: "An account's records, kept in step with a web API." },
    { name: 'audit', description: 'Who did what, from where and why; it only grows.' },
    { name: 'login', description: 'Tokens for passwords, newer ones for tokens, and what they let one do.' },
    { name: 'health', description: 'Whether the process lives, and whether it can serve.' },
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
