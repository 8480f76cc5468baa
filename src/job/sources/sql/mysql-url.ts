/** Reads a `mysql:` or `mariadb:` URL. A parameter that is not known is refused, so that none is ignored. */

export type MysqlAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** null: without TLS. */
  readonly tls: {
    readonly verify: 'nothing' | 'certificate' | 'host';
    readonly caFile: string | null;
  } | null;
};

const DEFAULT_PORT = 3306;
const VERIFY = { required: 'nothing', 'verify-ca': 'certificate', 'verify-identity': 'host' } as const;

/** @returns the fault in words, without the URL, as a text */
export function readMysqlUrl(text: string): MysqlAddress | string {
  const url = new URL(text);
  const form = 'expected a form such as mysql://user:password@host:3306/database';
  if (url.hostname === '' || url.username === '') return `names no host or no user: ${form}`;
  for (const name of url.searchParams.keys())
    if (name !== 'ssl-mode' && name !== 'ssl-ca')
      return `has the unknown parameter ${name} (known: ssl-mode, ssl-ca)`;
  const mode = (url.searchParams.get('ssl-mode') ?? 'disabled').toLowerCase().replace('_', '-');
  const verify = Object.entries(VERIFY).find(([name]) => name === mode)?.[1] ?? null;
  if (verify === null && mode !== 'disabled')
    return `has an unknown ssl-mode (known: disabled, ${Object.keys(VERIFY).join(', ')})`;
  const caFile = url.searchParams.get('ssl-ca');
  if (caFile !== null && (verify === null || verify === 'nothing'))
    return 'has ssl-ca, which needs ssl-mode=verify-ca or ssl-mode=verify-identity';
  try {
    const database = decodeURIComponent(url.pathname.slice(1));
    if (database === '' || database.includes('/')) return `names no database: ${form}`;
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database,
      tls: verify === null ? null : { verify, caFile },
    };
  } catch {
    return 'has a % that begins no percent-encoding; write % as %25';
  }
}
