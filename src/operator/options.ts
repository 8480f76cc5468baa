/** Options and help texts that several operator commands share. */
import type { Command } from 'commander';

export const NEEDS_DATABASE =
  '\nUses the database of DATABASE_URL, or else that of `npm start` in this folder.\n\nExample:\n  ';

export type GrantOptions = { readonly env: readonly string[]; readonly action: readonly string[] };
/** The options of `tokens create`. */
export type CreateOptions = GrantOptions & { readonly role: string; readonly expires: string };

/** Adds `--env` and `--action`, which may be repeated or take a comma list. */
export function withLimits(command: Command): Command {
  const collect = (value: string, before: readonly string[]) => [
    ...before,
    ...value.split(',').filter((name) => name !== ''),
  ];
  return command
    .option('--env <name>', 'only in this environment (may be repeated)', collect, [])
    .option(
      '--action <name>',
      'only for this action (may be repeated); force-delete allows lifting the delete guard, approve answering losses',
      collect,
      [],
    );
}
