/** What one `npm start` is asked for, read from its environment and checked before anything is started. */
import { freePort, isPortFree } from './ports.ts';

export type StackSettings = {
  readonly host: string;
  readonly port: number;
  /** As given; relative to the working folder. */
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly temporalAddress: string | undefined;
  readonly temporalUiUrl: string | undefined;
  readonly secret: string | undefined;
};

/** @throws Error naming the wrong variable; an empty one counts as not set */
export function readStackSettings(env: NodeJS.ProcessEnv): StackSettings {
  const text = (name: string) => (env[name] === '' ? undefined : env[name]);
  const port = Number(text('PORT') ?? 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT ${JSON.stringify(env['PORT'])} is not a port number`);
  }
  return {
    host: text('HOST') ?? '127.0.0.1',
    port,
    dataDir: text('SYNCRATOR_DATA') ?? '.data',
    databaseUrl: text('DATABASE_URL'),
    temporalAddress: text('TEMPORAL_ADDRESS'),
    temporalUiUrl: text('TEMPORAL_UI_URL'),
    secret: text('SYNCRATOR_SECRET'),
  };
}

/**
 * The port to serve on; 0 asks for any free one.
 * @throws Error naming PORT when somebody listens there
 */
export async function choosePort(settings: StackSettings): Promise<number> {
  if (settings.port === 0) return freePort();
  if (await isPortFree(settings.port, settings.host)) return settings.port;
  throw new Error(
    `port ${settings.port} on ${settings.host} is taken: end what listens there, or set PORT to another one`,
  );
}
