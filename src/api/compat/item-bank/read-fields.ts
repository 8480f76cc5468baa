/** Reads a few fields of a large JSON body, without holding the rest in memory. */
import type { Context } from 'hono';
import { BODY_LIMIT, countedBody, parseJson, tooLarge } from '../../http/body.ts';
import { NeededFields } from './needed-fields.ts';

/**
 * Reads the named fields of a JSON object; each other field becomes null.
 * @param limit bytes of the whole body
 * @throws Problem 413 if the body exceeds the limit or the named fields exceed BODY_LIMIT; 400 for malformed JSON
 */
export async function readFields(c: Context, names: readonly string[], limit: number): Promise<unknown> {
  const fields = new NeededFields(names);
  for await (const chunk of countedBody(c, limit))
    if (fields.push(chunk) > BODY_LIMIT) throw tooLarge(BODY_LIMIT);
  return parseJson(fields.bytes());
}
