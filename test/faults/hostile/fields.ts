/** Every field of every route that takes a text, and the request that puts the text there. */
import { request } from 'node:http';
import { adapted, fill, type Values } from '../access/refusals.ts';
import type { Operation } from '../operations.ts';

export type Field = {
  readonly operation: Operation;
  readonly where: 'path' | 'query' | 'body' | 'header' | 'raw';
  readonly name: string;
};

export type Sent = {
  readonly status: number;
  readonly type: string;
  readonly headers: string;
  readonly text: string;
};

/** Headers that any request may have, beside the documented ones. */
const HEADERS = ['user-agent', 'x-request-id', 'last-event-id', 'accept', 'x-forwarded-host'];

export function fieldsOf(operations: readonly Operation[]): Field[] {
  return operations.flatMap((operation): Field[] => {
    const of = (where: Field['where'], names: readonly string[]) =>
      names.map((name) => ({ operation, where, name }));
    return [
      ...of('path', operation.inPath),
      ...of('query', [...operation.inQuery, 'unknown']),
      ...of('body', operation.body ? [...operation.bodyTexts, 'unknown'] : []),
      ...of('header', [...operation.inHeaders, ...HEADERS]),
      ...of('raw', ['path']),
    ];
  });
}

/** A header cannot hold every text; undefined if this one cannot be sent. */
export async function sendTo(
  url: string,
  field: Field,
  text: string,
  of: { token: string; values: Values },
): Promise<Sent | undefined> {
  const { operation, where, name } = field;
  const values = where === 'path' ? { ...of.values, [name]: percent(text) } : of.values;
  let route = fill(operation.path, values);
  if (where === 'query') route += `?${name === 'unknown' ? percent(text) : `${name}=${percent(text)}`}`;
  if (where === 'raw') route += `/${text}`;
  if (/[^\x21-\x7e]/.test(route)) return undefined;
  if (where === 'header' && /[^\x20-\x7e]/.test(text)) return undefined;
  const body = operation.body && JSON.stringify(hostileBody(operation.body, of.values, field, text));
  return await new Promise((resolve, reject) => {
    const asked = request(
      url + (route.startsWith('/') ? route : `/${route}`),
      {
        method: operation.method,
        path: route,
        timeout: 10_000,
        headers: {
          authorization: `Bearer ${of.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(where === 'header' ? { [name]: text } : {}),
        },
      },
      (answer) => {
        const parts: Buffer[] = [];
        const done = () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            headers: answer.rawHeaders.join('\n'),
            text: Buffer.concat(parts).toString(),
          });
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', done).on('error', reject);
        // A stream of events never ends by itself.
        if (answer.headers['content-type']?.startsWith('text/event-stream')) {
          done();
          asked.destroy();
        }
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${operation.method} ${route}`)));
    asked.on('error', reject);
    asked.end(body);
  });
}

function hostileBody(example: Readonly<Record<string, unknown>>, values: Values, field: Field, text: string) {
  const body: Record<string, unknown> = { ...adapted(example, values) };
  if ('paused' in body) body['paused'] = false; // the jobs of the other fields must run
  if ('seq' in body) body['seq'] = Number(values['seq'] ?? 1);
  // Defined, because an assignment of `__proto__` would vanish.
  const named = field.name === 'unknown' ? text : field.name;
  if (field.where === 'body')
    Object.defineProperty(body, named, { value: text, enumerable: true, configurable: true, writable: true });
  return body;
}

/** encodeURIComponent, also for halves of surrogate pairs, which no decoder accepts. */
function percent(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ed%a0%80';
}

/** Faults that no answer to a hostile request may have. */
export function judge(field: Field, sent: Sent): string[] {
  const faults: string[] = [];
  if (sent.status >= 500 && sent.status !== 503)
    faults.push(`answered ${sent.status} ${sent.text.slice(0, 200)}`);
  if (/^(x-injected|set-cookie)/im.test(sent.headers)) faults.push(`made a header: ${sent.headers}`);
  const own = field.operation.access === 'public';
  if (!own && !/json|text\/plain|text\/event-stream/.test(sent.type) && sent.type !== '')
    faults.push(`was answered as ${sent.type}`);
  if (sent.type !== '' && !/^x-content-type-options\nnosniff$/im.test(sent.headers))
    faults.push('was answered without nosniff');
  if (/\bat .*\.(ts|js):\d+|node_modules|pg_catalog|ECONN/.test(sent.text) && sent.type.includes('json'))
    faults.push(`reveals internals: ${sent.text.slice(0, 300)}`);
  const { method, path } = field.operation;
  return faults.map((fault) => `${method} ${path} ${field.where} ${field.name}: ${fault}`);
}
