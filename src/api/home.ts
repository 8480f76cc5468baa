/** `/`: what this is, its routes, a form to log in with, the environments; until the web page exists. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { ApiDeps } from './context.ts';
import { subApp } from './route.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
table { border-collapse: collapse } td { padding: .15rem 1rem .15rem 0; vertical-align: top }
pre { background: #f2f2f2; padding: 1rem; overflow: auto } code { font: 14px ui-monospace, monospace }
label { display: inline-block; margin-right: 1rem }
`;
const POLICY =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const ROUTES = [
  ['GET /{sync,delta,delete,diff}/<target>/<env>', 'dry run: what would run'],
  ['POST /{sync,delta,delete,diff}/<target>/<env>', 'start'],
  ['POST /run, POST /dryrun', 'the same by parameters'],
  ['POST /rollback/<target>/<env>', 'switch back to the kept generation'],
  ['GET /jobs, GET /jobs/<id>, DELETE /jobs/<id>', 'list, show, cancel'],
  ['GET /jobs/<id>/logs[?follow]', 'the log of a step'],
  ['GET /sync_jobs', 'every run of a sync program'],
  ['GET /targets', 'what can be run, and when it last succeeded'],
  ['GET, POST /maintenance-status', 'pause and go on'],
  ['GET /schedules, POST /schedules/<id>/{run,pause,resume}', 'what runs by itself'],
  ['GET /health/live, GET /health/ready', 'is it up?'],
] as const;

export function home({ config, params }: ApiDeps) {
  const app = subApp();
  const example = params.find({ env: 'dev', name: 'cities', action: 'sync' }) ?? params.files[0];
  const start = example ? `${example.name}/${example.env}` : '<target>/<env>';
  const environments =
    [...new Set(params.files.map((file) => file.env))].toSorted().join(', ') || 'none declared';
  const curl = `TOKEN=$(curl -s -F username=admin -F password=… $URL/login | sed 's/.*"access_token":"\\([^"]*\\).*/\\1/')
curl -H "Authorization: Bearer $TOKEN" $URL/sync/${start}
curl -H "Authorization: Bearer $TOKEN" -X POST $URL/sync/${start}
curl -H "Authorization: Bearer $TOKEN" $URL/jobs
curl -H "Authorization: Bearer $TOKEN" -X DELETE $URL/jobs/1`;
  app.get('/', (c) =>
    c.html(
      html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Syncrator</title><style>${raw(STYLE)}</style></head>
<body>
<h1>Syncrator</h1>
<p>Starts, watches, cancels and schedules data-synchronisation jobs.
<a href="/docs">API documentation</a> · <a href="/openapi.json">OpenAPI</a></p>
<p>Environments: ${environments}. Runner: ${config.runner}.</p>
<h2>Routes</h2>
<table>${ROUTES.map(([route, what]) => html`<tr><td><code>${route}</code></td><td>${what}</td></tr>\n`)}</table>
<h2>Log in</h2>
<form method="post" action="/login">
<label>Username <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Get a token</button>
</form>
<h2>From a shell</h2>
<pre><code>${curl}</code></pre>
</body>
</html>`,
      200,
      { 'content-security-policy': POLICY },
    ),
  );
  return app;
}
