/** Pages of lists: `page` or an opaque `cursor`, `limit` 1–100, and a `Link` header to the next page. */
import type { Context } from 'hono';
import { digits, MOST_INTEGER } from './fields.ts';
import { Problem } from './problem.ts';
import { z } from '@hono/zod-openapi';

const PAGE_SIZE = 50;

export const pageFields = {
  page: digits(1, 1_000_000).optional().openapi({ description: 'Page number, from 1.', example: 1 }),
  limit: digits(1, 100)
    .optional()
    .openapi({ description: `Entries per page; ${PAGE_SIZE} by default.`, example: PAGE_SIZE }),
};
export const pageQuery = z.strictObject(pageFields);

export type PageInput = { page?: number | undefined; limit?: number | undefined };

/** Fetches one row more than a page holds, to know whether there is a next page. */
export function pageRange(input: PageInput): { limit: number; offset: number; size: number } {
  const size = input.limit ?? PAGE_SIZE;
  return { size, limit: size + 1, offset: ((input.page ?? 1) - 1) * size };
}

/** Removes the extra row and links the next page, if any. */
export function onePage<T>(
  c: Context,
  rows: readonly T[],
  input: PageInput & { cursorOf?: (last: T) => number },
): readonly T[] {
  const { size } = pageRange(input);
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const links = [link(c, { page: undefined, cursor: undefined }, 'first')];
  if (rows.length > size && last !== undefined) {
    const next =
      input.cursorOf && input.page === undefined
        ? { cursor: encodeCursor(input.cursorOf(last)) }
        : { page: String((input.page ?? 1) + 1) };
    links.unshift(link(c, next, 'next'));
  }
  c.header('Link', links.join(', '));
  return shown;
}

/** The same for a list in the order of a text: the next page begins behind the last row's. */
export function pageBehind<T>(
  c: Context,
  rows: readonly T[],
  input: { limit?: number | undefined; keyOf: (last: T) => string },
): readonly T[] {
  const { size } = pageRange(input);
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const links = [link(c, { after: undefined }, 'first')];
  if (rows.length > size && last !== undefined) links.unshift(link(c, { after: input.keyOf(last) }, 'next'));
  c.header('Link', links.join(', '));
  return shown;
}

function link(c: Context, change: Record<string, string | undefined>, rel: string): string {
  const url = new URL(c.req.url);
  for (const [key, value] of Object.entries(change))
    if (value === undefined) url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  return `<${url.pathname}${url.search}>; rel="${rel}"`;
}

function encodeCursor(id: number): string {
  return Buffer.from(`id:${id}`).toString('base64url');
}

/** @throws Problem 400 unless the cursor comes from a `Link` header */
export function decodeCursor(cursor: string): number {
  const id = Number(/^id:(\d{1,10})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]);
  if (!(id >= 1 && id <= MOST_INTEGER))
    throw new Problem(400, 'bad_query', 'query: cursor: invalid; use the cursor of a Link header');
  return id;
}
