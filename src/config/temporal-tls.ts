/** Secures the connection to Temporal: TLS, our own certificate, an API key; read once, at the start. */
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';

export type TemporalSecurity = {
  /** In the SDK's form; undefined means plain text. */
  readonly tls?: {
    readonly serverNameOverride?: string;
    readonly serverRootCACertificate: Buffer;
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
  };
  readonly apiKey?: string;
};

type Settings = {
  /** True by default if one of the others is set. */
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

/** The settings that contradict each other, each with the reason; empty if there are none. */
export function temporalSecurityFaults(settings: Settings): [keyof Settings, string][] {
  const faults: [keyof Settings, string][] = [];
  if (settings.TEMPORAL_TLS === false)
    for (const name of NEED_TLS)
      if (settings[name] !== undefined) faults.push([name, 'needs TLS, but TEMPORAL_TLS is false']);
  const { TEMPORAL_TLS_CERT_FILE: crt, TEMPORAL_TLS_KEY_FILE: key } = settings;
  if (crt !== undefined && key === undefined)
    faults.push(['TEMPORAL_TLS_KEY_FILE', 'is not set, which TEMPORAL_TLS_CERT_FILE needs']);
  if (key !== undefined && crt === undefined)
    faults.push(['TEMPORAL_TLS_CERT_FILE', 'is not set, which TEMPORAL_TLS_KEY_FILE needs']);
  return faults;
}

/** @throws Error that names the variable and its file, never the content */
export function readTemporalSecurity(settings: Settings): TemporalSecurity {
  if (!(settings.TEMPORAL_TLS ?? NEED_TLS.some((name) => settings[name] !== undefined))) return {};
  const { TEMPORAL_TLS_SERVER_NAME: serverName, TEMPORAL_API_KEY: apiKey } = settings;
  // The SDK uses the system's authorities by default: a slim image has none, and its two clients would look in two
  // places.
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
