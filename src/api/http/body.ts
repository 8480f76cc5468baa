/**
 * Reads the body of a request: counts its bytes, checks its Content-Type and parses its JSON, before its schema does.
 * hono/body-limit stays out: it trusts a Content-Length without counting, and it buffers the whole body, which a large
 * hook must not be (compat/item-bank).
 */
import type { Context, MiddlewareHandler } from 'hono';
import { Problem } from './problem.ts';
import { checkValue } from './input-checks.ts';

export const BODY_LIMIT = 64 * 1024;

const JSON_TYPE = /^application\/([\w.-]+\+)?json(\s*;|$)/i;

/** Returns the whole body; counts its bytes, whatever the headers say. @throws Problem 413 */
export async function readBody(c: Context, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of countedBody(c, limit)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Yields the body as it arrives. @throws Problem 413 as soon as it exceeds the limit */
export async function* countedBody(c: Context, limit: number): AsyncGenerator<Uint8Array> {
  if (Number(c.req.header('content-length') ?? 0) > limit) throw tooLarge(limit);
  let size = 0;
  const body: ReadableStream<Uint8Array> | null = c.req.raw.body;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    yield chunk;
  }
}

export function tooLarge(limit: number): Problem {
  return new Problem(413, 'too_large', `the body is larger than ${limit} bytes`);
}

export function notJson(): Problem {
  return new Problem(415, 'not_json', 'send the header Content-Type: application/json');
}

/**
 * Checks the JSON body of a route before its schema reads it.
 * @param options.optional an empty body counts as `{}`
 * @param options.mend changes the body before it is checked
 */
export function jsonBody(
  options: { limit?: number | undefined; optional?: boolean; mend?: Mend | undefined } = {},
): MiddlewareHandler {
  return async (c, next) => {
    const bytes = await readBody(c, options.limit ?? BODY_LIMIT);
    const { method } = c.req;
    if (options.optional === true && bytes.length === 0) {
      const headers = new Headers(c.req.raw.headers);
      headers.set('content-type', 'application/json');
      c.req.raw = new Request(c.req.raw, { method, headers, body: '{}' });
      return await next();
    }
    if (!JSON_TYPE.test(c.req.header('content-type') ?? '')) throw notJson();
    const value = parseJson(bytes, options.mend);
    // The validator of the schema reads the body again.
    c.req.raw = new Request(c.req.raw, { method, body: options.mend ? JSON.stringify(value) : bytes });
    return await next();
  };
}

/** Accepts no body or an empty object, for routes without fields. */
export const noBody: MiddlewareHandler = async (c, next) => {
  const bytes = await readBody(c, BODY_LIMIT);
  if (bytes.length > 0) {
    if (!JSON_TYPE.test(c.req.header('content-type') ?? ''))
      throw new Problem(415, 'not_json', 'send no body, or the header Content-Type: application/json');
    const value = parseJson(bytes);
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : ['the body'];
    if (keys.length > 0)
      throw new Problem(
        422,
        'invalid_body',
        `${keys.join(', ')}: unknown field; this route takes no fields`,
        {
          members: { errors: keys.map((field) => ({ field, message: 'unknown field' })) },
        },
      );
  }
  await next();
};

/** Changes a parsed body before it is checked. */
export type Mend = (body: unknown) => unknown;

/** Parses JSON. @throws Problem 400 unless it is well-formed JSON in UTF-8 */
export function parseJson(bytes: Uint8Array, mend: Mend = (body) => body): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      throw new Problem(400, 'malformed', 'the body is not well-formed JSON in UTF-8');
    throw error;
  }
  const mended = mend(value);
  checkValue(mended);
  return mended;
}
