/** A time that a source gave a record. */
import { z } from '@hono/zod-openapi';

/** A source may give any year; a form of `infinity` such as 9999-12-31 is common. */
export const sourceTime = z.iso
  .datetime({ offset: true, error: 'must be an ISO-8601 time such as 2026-11-22T00:00:00Z' })
  .transform((value) => new Date(value))
  .refine((value) => /^(?!0000)\d{4}-/.test(value.toISOString()), 'must lie in the years 1 to 9999')
  .nullable()
  .openapi({ type: ['string', 'null'], format: 'date-time', example: '2026-11-22T00:00:00Z' });
