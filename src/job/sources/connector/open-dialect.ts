/** Chooses the protocol by which a connector is spoken to. */
import { createAirbyte } from './airbyte.ts';
import type { ConnectorProgram } from './connector-settings.ts';
import type { Dialect } from './dialect.ts';
import { createProgram, type Program, type ProgramOptions } from './program.ts';
import { createSinger } from './singer.ts';

/** @param settings.exitProves CONNECTOR_EXIT_COMPLETE */
export function openDialect(
  settings: ConnectorProgram & { readonly exitProves?: boolean },
  options: Omit<ProgramOptions, 'settings'>,
): { readonly dialect: Dialect; readonly program: Program } {
  const program = createProgram({ settings, ...options });
  const { protocol, config, exitProves = false } = settings;
  const dialect =
    protocol === 'singer' ? createSinger(program, { config, exitProves }) : createAirbyte(program, settings);
  return { dialect, program };
}
