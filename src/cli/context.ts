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
  const { url: asked } = command.optsWithGlobals<{ url?: string }>();
  const url = asked ?? environment['SYNCRATOR_URL'] ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CliFailure(`'${url}' is no address such as ${DEFAULT_URL} (--url or SYNCRATOR_URL)`);
  const format = formatOf(command);
  const token = environment['SYNCRATOR_TOKEN'];
  const tokens = tokenFile(environment['XDG_CONFIG_HOME']);
  return { format, server: createServer({ url: url.replace(/\/+$/, ''), tokens, token }) };
}

/** @throws CliFailure for a form that is none */
export function formatOf(command: Command): Format {
  const { output = 'table' } = command.optsWithGlobals<{ output?: string }>();
  const format = FORMATS.find((known) => known === output);
  if (!format) throw new CliFailure(`'${output}' is not ${FORMATS.join(', ')} (--output)`);
  return format;
}
