/**
 * Checks the Host header where reads are public. In a DNS rebinding attack a foreign page points its own name at this
 * server, and then reads through a browser behind the firewall. IP addresses cannot be rebound; writes and reads with a
 * token are safe, since the page has no token.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { Config } from '../../config/config.ts';
import { hostCheck, isLoopback } from '../../domain/host-names.ts';
import type { ApiEnv } from '../context.ts';
import { Problem } from './problem.ts';

type Names = Pick<Config, 'publicReads' | 'host' | 'publicUrl' | 'reportBaseUrl' | 'allowedHosts'>;

/**
 * Returns a check of host names; undefined accepts every name. Names are checked only if reads are public and the names
 * are known: configured, or loopback.
 */
export function knownHosts(of: Names): ((host: string) => boolean) | undefined {
  const areNamesConfigured = of.publicUrl !== undefined || of.allowedHosts !== undefined;
  if (!of.publicReads || (!areNamesConfigured && !isLoopback(of.host))) return undefined;
  return hostCheck([
    of.host,
    ...[of.publicUrl, of.reportBaseUrl].flatMap((url) => (url === undefined ? [] : [new URL(url).hostname])),
    ...(of.allowedHosts ?? []),
  ]);
}

/** Answers 421 to reads under an unknown name, health probes excepted. */
export function answersTo(isKnown: (host: string) => boolean): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const host = c.req.header('host');
    if (isRead(c) && host !== undefined && !isKnown(host)) throw unknownHost(host);
    await next();
  };
}

function isRead({ req: { method, path } }: Context): boolean {
  return (method === 'GET' || method === 'HEAD') && !path.startsWith('/health/');
}

function unknownHost(host: string): Problem {
  return new Problem(
    421,
    'unknown_host',
    `unknown host name ${host.slice(0, 100)}: an operator of this server can add it to ALLOWED_HOSTS`,
  );
}
