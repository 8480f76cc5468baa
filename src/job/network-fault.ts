/** What the network did to a call, in one word. */

import type { SourceFault } from '../domain/source-fault.ts';

/** Of the system, and of undici (`UND_ERR_…`). A resolver that is away says EAI_AGAIN. */
const BY_CODE: Readonly<Record<string, SourceFault>> = {
  ENOTFOUND: 'nxdomain',
  EAI_AGAIN: 'nxdomain',
  ECONNREFUSED: 'econnrefused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

/** @param error as fetch throws it; a connection that broke, where nothing better is known */
export function networkFaultOf(error: unknown): SourceFault {
  const code = codeOf(error);
  return BY_CODE[code] ?? (isTls(code) ? 'tls' : 'closed');
}

/** fetch hides it one level down or more. */
function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return '';
}

function isTls(code: string): boolean {
  return /^ERR_(TLS|SSL)_|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/.test(code);
}
