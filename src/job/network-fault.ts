/** Classifies network errors as a SourceFault. */
import type { SourceFault } from '../domain/source-fault.ts';

/** Error codes of the system and of undici (`UND_ERR_…`). An unreachable resolver yields EAI_AGAIN. */
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

/** @param error as fetch or undici throws it @returns `closed` (a broken connection) for unknown errors */
export function networkFaultOf(error: unknown): SourceFault {
  const code = codeOf(error);
  return BY_CODE[code] ?? (isTls(code) ? 'tls' : 'closed');
}

/** fetch nests the code in `cause`, one or more levels down. */
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
