/** docs/reference/http.md: the routes of the OpenAPI document. */
import type { DocumentedApp } from './app.ts';
import { cell, code, page, table } from './markdown.ts';

type Operation = {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
};
type Document = {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

export async function httpPage({ app }: DocumentedApp): Promise<string> {
  const document = (await (await app.request('/openapi.json')).json()) as Document;
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return page(
    'HTTP',
    'A running api serves this document with schemas and examples at `/docs`, and as `/openapi.json` for programs.',
    '- **Access**: every route needs `Authorization: Bearer …`, from `POST /login` (15 minutes; `POST /login/renew` prolongs it up ' +
      'to 12 hours), from `syncrator tokens create`, or from your OIDC issuer. Exceptions: `/` and its assets, `/docs`, ' +
      "`/openapi.json`, `/health/*`, `/login`, GitLab's webhook (its own secret) and a program's report (its own token). With " +
      '`PUBLIC_READS=true`, GET needs no token.\n' +
      '- **Errors** are `application/problem+json` (RFC 9457) with `code`, `detail` and an equal `message`. Faults of path and query ' +
      'are 400, of bodies 422.\n' +
      '- **Names** are in snake_case, times ISO 8601 in UTC. Kept from the predecessors: the upper-case parameters in answers of starts ' +
      'and dry runs, and `datasetName`, `hasMetadata`, `hasData`.\n' +
      '- **Idempotency-Key**: a start or batch with this header answers the same for 24 hours, and 422 for another body under the same ' +
      'key.\n' +
      '- **X-Reason**: stored in the audit with every change that the call makes.\n' +
      '- **Event streams**: at most 200 per api process, 15 minutes each; clients reconnect with `Last-Event-ID`.',
    ...document.tags.flatMap(({ name, description }) => [
      `## ${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      cell(description),
      table(
        ['Route', 'Does', 'Query', 'Answers'],
        routes
          .filter(({ operation }) => operation.tags?.includes(name))
          .map(({ path, method, operation }) => [
            code(`${method} ${path}`),
            cell([operation.summary, operation.description].filter(Boolean).join('. ')),
            (operation.parameters ?? [])
              .filter((parameter) => parameter.in === 'query')
              .map((parameter) => code(parameter.name))
              .join(', '),
            Object.keys(operation.responses).join(', '),
          ]),
      ),
    ]),
  );
}
