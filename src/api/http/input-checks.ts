/** Rejects NUL, lone surrogates, `__proto__` and deep nesting anywhere in a request. */
import type { MiddlewareHandler } from 'hono';
import { Problem } from './problem.ts';

const DEPTH = 20;

/** Checks one text. @throws Problem 400 naming the place */
function checkText(text: string, where: string): void {
  if (text.includes('\u0000')) throw new Problem(400, 'malformed', `${where} contains NUL`);
  if (!text.isWellFormed()) throw new Problem(400, 'malformed', `${where} contains a lone surrogate`);
}

/** Checks parsed JSON or form fields, keys included. @throws Problem 400 naming the field */
export function checkValue(value: unknown, where = 'the body', depth = 0): void {
  if (typeof value === 'string') checkText(value, where);
  if (typeof value !== 'object' || value === null) return;
  if (depth >= DEPTH)
    throw new Problem(400, 'malformed', `the body is nested more than ${DEPTH} levels deep`);
  for (const [key, inner] of Object.entries(value)) {
    checkText(key, 'a field name');
    if (key === '__proto__') throw new Problem(400, 'malformed', "the field name '__proto__' is not allowed");
    const at = depth === 0 ? key : `${where}.${key}`;
    checkValue(inner, at, depth + 1);
  }
}

/** Checks path and query before any route sees them. */
export const checkUrl: MiddlewareHandler = async (c, next) => {
  const url = new URL(c.req.url);
  checkText(decoded(url.pathname, 'the path'), 'the path');
  for (const part of url.search.slice(1).split('&')) {
    const query = decoded(part.replaceAll('+', ' '), 'the query');
    checkText(query, 'the query');
    if (/^__proto__(=|$)/.test(query))
      throw new Problem(400, 'malformed', "the query field '__proto__' is not allowed");
  }
  await next();
};

function decoded(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError)
      throw new Problem(400, 'malformed', `${where} is not valid percent-encoded UTF-8`);
    throw error;
  }
}
