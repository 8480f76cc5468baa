/** Makes the context of a command from its options and the environment: the server to call, the form of the output. */
import type { Command } from 'commander';
import { CliFailure } from '../terminal/failure.ts';
import { formatOf, reasonOf } from '../terminal/global-options.ts';
import type { Format } from '../terminal/output.ts';
import { createServer, type Server } from './remote.ts';
import { tokenFile } from './tokens.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';

export type Context = { readonly server: Server; readonly format: Format };

/** @throws CliFailure for an invalid address or form */
export function contextOf(command: Command, environment: NodeJS.ProcessEnv): Context {
  const { url } = command.optsWithGlobals<{ url?: string }>();
  return { format: formatOf(command), server: serverOf(environment, { url, reason: reasonOf(command) }) };
}

/**
 * @param asked.url overrides SYNCRATOR_URL
 * @param asked.reason sent with every call that writes
 * @param asked.signal cuts every call short
 * @throws CliFailure for an invalid address
 */
export function serverOf(
  environment: NodeJS.ProcessEnv,
  asked: { url?: string | undefined; reason?: string | undefined; signal?: AbortSignal } = {},
): Server {
  const { reason, signal } = asked;
  const url = asked.url ?? environment['SYNCRATOR_URL'] ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CliFailure(
      `invalid server address '${url}' (--url or SYNCRATOR_URL; expected e.g. ${DEFAULT_URL})`,
    );
  const tokens = tokenFile(environment['XDG_CONFIG_HOME']);
  const token = environment['SYNCRATOR_TOKEN'];
  return createServer({ url: url.replace(/\/+$/, ''), tokens, token, reason, signal });
}
