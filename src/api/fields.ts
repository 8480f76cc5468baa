/** The kinds of fields that several routes share, each with its bounds. */
import { z } from '@hono/zod-openapi';
import { NAME_PATTERN } from '../domain/names.ts';

/** The largest `integer` of Postgres: ids beyond it cannot exist. */
export const MOST_INTEGER = 2_147_483_647;

/** A number in a path or query; nothing but digits. */
export function digits(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `must be a whole number from ${least} to ${most}`);
}

export const idParam = z.object({
  id: digits(1, MOST_INTEGER).openapi({ param: { name: 'id', in: 'path' }, type: 'integer', example: 7 }),
});

/** Names in paths are only looked up, so any text may stand there. */
export const pathName = z.string().max(200);

export const name = z.string().regex(NAME_PATTERN, 'must be 1 to 40 of a-z, 0-9, - and _').openapi({
  example: 'avo',
});

export function text(most: number) {
  return z.string().max(most);
}

/** An ISO-8601 time with its offset, from 1970 to 9999. */
export const time = z.iso
  .datetime({ offset: true, error: 'must be an ISO-8601 time such as 2026-11-22T00:00:00Z' })
  .transform((value) => new Date(value))
  .refine((date) => date.getTime() >= 0 && date.getTime() < 253_402_300_800_000, 'must lie in 1970 to 9999')
  .openapi({ type: 'string', format: 'date-time', example: '2026-11-22T00:00:00Z' });

export const isoTime = z.string().openapi({ format: 'date-time', example: '2026-11-22T01:00:00.000Z' });
