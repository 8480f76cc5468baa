/** What every command is given: the server to ask and the form of its answer, from the options and the environment. */
import type { Command } from 'commander';
import { CliFailure } from './failure.ts';
import { type Format, FORMATS } from './output.ts';
import { createServer, type Server } from './remote.ts';
import { tokenFile } from './tokens.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';

export type Context = { readonly server: Server; readonly format: Format };

/** @throws CliFailure for an address or form that is none */
export function contextOf(command: Command, environment: NodeJS.ProcessEnv): Context {
  const { url } = command.optsWithGlobals<{ url?: string }>();
  return { format: formatOf(command), server: serverOf(environment, { url, reason: reasonOf(command) }) };
}

/**
 * @param asked.url instead of SYNCRATOR_URL
 * @param asked.reason goes with whatever is done
 * @param asked.signal cuts every call short
 * @throws CliFailure for an address that is none
 */
export function serverOf(
  environment: NodeJS.ProcessEnv,
  asked: { url?: string | undefined; reason?: string | undefined; signal?: AbortSignal } = {},
): Server {
  const { reason, signal } = asked;
  const url = asked.url ?? environment['SYNCRATOR_URL'] ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CliFailure(`'${url}' is no address such as ${DEFAULT_URL} (--url or SYNCRATOR_URL)`);
  const tokens = tokenFile(environment['XDG_CONFIG_HOME']);
  const token = environment['SYNCRATOR_TOKEN'];
  return createServer({ url: url.replace(/\/+$/, ''), tokens, token, reason, signal });
}

/** Why something is done, for the audit. */
export function reasonOf(command: Command): string | undefined {
  return command.optsWithGlobals<{ reason?: string }>().reason;
}

/** @throws CliFailure for a form that is none */
export function formatOf(command: Command): Format {
  const { output = 'table' } = command.optsWithGlobals<{ output?: string }>();
  const format = FORMATS.find((known) => known === output);
  if (!format) throw new CliFailure(`'${output}' is not ${FORMATS.join(', ')} (--output)`);
  return format;
}
