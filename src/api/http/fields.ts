/** Field schemas that several routes share, each with its bounds. */
import { z } from '@hono/zod-openapi';
import { NAME_PATTERN } from '../../domain/names.ts';

/** The largest `integer` of Postgres: ids beyond it cannot exist. */
export const MOST_INTEGER = 2_147_483_647;

/** A number in a path or query, digits only. */
export function digits(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `must be a whole number from ${least} to ${most}`)
    .openapi({ type: 'integer', minimum: least, maximum: most });
}

export const idParam = z.object({
  id: digits(1, MOST_INTEGER).openapi({
    param: { name: 'id', in: 'path' },
    description: 'The id of the job or record.',
    example: 7,
  }),
});

/** A name in a path: any text, since it is only looked up. */
export const pathName = text(200);

export const name = z.string().regex(NAME_PATTERN, 'must be 1 to 40 of a-z, 0-9, - and _').openapi({
  example: 'avo',
});

/** A text of at most `most` characters as JSON Schema counts them: an emoji is one, while JavaScript counts two. */
export function text(most: number, least = 0) {
  const wanted = least > 0 ? `must be ${least} to ${most} characters` : `must be at most ${most} characters`;
  return z
    .string()
    .refine((value) => {
      const length = value.length > 2 * most ? value.length : Array.from(value).length;
      return length >= least && length <= most;
    }, wanted)
    .openapi({ ...(least > 0 ? { minLength: least } : {}), maxLength: most });
}

/** A boolean in a query; capitals are accepted for clients of the microdata job service. */
export const yesOrNo = z
  .enum(['true', 'false', 'True', 'False'], 'must be true or false')
  .transform((value) => value.toLowerCase() === 'true')
  .openapi({ type: 'string', enum: ['true', 'false', 'True', 'False'], example: 'true' });

/**
 * A named schema, or null. `schema.nullable()` would make the named component itself nullable in the document, and with
 * it every other answer that has it.
 */
export function orNull<S extends z.ZodType>(schema: S) {
  return z.union([schema, z.null()]);
}

/** A count, up to the largest integer that a JSON number holds exactly. */
export const count = z.int().min(0).openapi({ maximum: Number.MAX_SAFE_INTEGER });

/** Years as written. 9999 is excluded, because in UTC its last hours may fall into the year 10000. */
const YEARS = /^(19[7-9]\d|[2-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])-/;
const timeSchema = {
  format: 'date-time',
  pattern: YEARS.source,
  example: '2026-11-22T00:00:00Z',
};

/** An ISO-8601 time with its offset, from 1970 to 9998. */
export const time = z.iso
  .datetime({ offset: true, error: 'must be an ISO-8601 time such as 2026-11-22T00:00:00Z' })
  .regex(YEARS, 'must lie in 1970 to 9998')
  .transform((value) => new Date(value))
  .openapi({ type: 'string', ...timeSchema });

/** The same, or null. */
export const timeOrNull = time.nullable().openapi({ type: ['string', 'null'], ...timeSchema });

export const isoTime = z.string().openapi({ format: 'date-time', example: '2026-11-22T01:00:00.000Z' });
