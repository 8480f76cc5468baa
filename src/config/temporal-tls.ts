/** How Temporal is reached where others could listen: TLS, a certificate of our own, an API key; read once, at the start. */
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';

export type TemporalSecurity = {
  /** The SDK's own shape; undefined is plain text. */
  readonly tls?: {
    readonly serverNameOverride?: string;
    readonly serverRootCACertificate: Buffer;
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
  };
  readonly apiKey?: string;
};

type Settings = {
  /** True by default when one of the others is set. */
  readonly TEMPORAL_TLS?: boolean | undefined;
  readonly TEMPORAL_TLS_CA_FILE?: string | undefined;
  readonly TEMPORAL_TLS_CERT_FILE?: string | undefined;
  readonly TEMPORAL_TLS_KEY_FILE?: string | undefined;
  readonly TEMPORAL_TLS_SERVER_NAME?: string | undefined;
  readonly TEMPORAL_API_KEY?: string | undefined;
};

const NEED_TLS = [
  'TEMPORAL_TLS_CA_FILE',
  'TEMPORAL_TLS_CERT_FILE',
  'TEMPORAL_TLS_KEY_FILE',
  'TEMPORAL_TLS_SERVER_NAME',
  'TEMPORAL_API_KEY',
] as const satisfies (keyof Settings)[];

/** The settings that do not go together, each with why; empty when all is well. */
export function temporalSecurityFaults(settings: Settings): [keyof Settings, string][] {
  const faults: [keyof Settings, string][] = [];
  if (settings.TEMPORAL_TLS === false)
    for (const name of NEED_TLS)
      if (settings[name] !== undefined) faults.push([name, 'needs TLS, and TEMPORAL_TLS is false']);
  const { TEMPORAL_TLS_CERT_FILE: crt, TEMPORAL_TLS_KEY_FILE: key } = settings;
  if (crt !== undefined && key === undefined)
    faults.push(['TEMPORAL_TLS_KEY_FILE', 'is not set, which TEMPORAL_TLS_CERT_FILE needs']);
  if (key !== undefined && crt === undefined)
    faults.push(['TEMPORAL_TLS_CERT_FILE', 'is not set, which TEMPORAL_TLS_KEY_FILE needs']);
  return faults;
}

/** @throws Error naming the variable and its file, never what is in it */
export function readTemporalSecurity(settings: Settings): TemporalSecurity {
  if (!(settings.TEMPORAL_TLS ?? NEED_TLS.some((name) => settings[name] !== undefined))) return {};
  const { TEMPORAL_TLS_SERVER_NAME: serverName, TEMPORAL_API_KEY: apiKey } = settings;
  // The SDK's own default is what the system has: a slim image has none, and its two clients would look in two places.
  const ca = read(settings, 'TEMPORAL_TLS_CA_FILE') ?? Buffer.from(getCACertificates('default').join('\n'));
  const crt = read(settings, 'TEMPORAL_TLS_CERT_FILE');
  const key = read(settings, 'TEMPORAL_TLS_KEY_FILE');
  return {
    tls: {
      ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
      serverRootCACertificate: ca,
      ...(crt === undefined || key === undefined ? {} : { clientCertPair: { crt, key } }),
    },
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

function read(
  settings: Settings,
  name: 'TEMPORAL_TLS_CA_FILE' | 'TEMPORAL_TLS_CERT_FILE' | 'TEMPORAL_TLS_KEY_FILE',
): Buffer | undefined {
  const file = settings[name];
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new Error(`configuration: ${name}: ${file} cannot be read (${why})`, { cause });
  }
}
