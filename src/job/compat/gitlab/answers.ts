/** Parses answers of GitLab's REST API: JSON, link to the next page, total. */
import type { z } from 'zod';
import type { Answer } from './calls.ts';
import { GitlabFault } from './gitlab-fault.ts';

/** @throws GitlabFault for a body that is not JSON (such as a login page) or lacks required fields */
export function parseAnswer<T>(what: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new GitlabFault('content', `${what}: not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.');
  throw new GitlabFault('content', `${what}: JSON, but not as expected${where ? ` (${where})` : ''}`);
}

/**
 * The query of the next page; null on the last. The link's host is ignored, so that the token goes only to
 * GITLAB_URL.
 */
export function nextQuery({ header }: Answer): string | null {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(header('link') ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, 'http://here')) return null;
  return new URL(link, 'http://here').search.slice(1) || null;
}

/** The total from `X-Total`; null if GitLab does not count. */
export function totalOf({ header }: Answer): number | null {
  const total = header('x-total') ?? '';
  return /^\d{1,9}$/.test(total) ? Number(total) : null;
}
