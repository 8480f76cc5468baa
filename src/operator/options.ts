/** What several of the commands of this machine take, and say of themselves. */
import type { Command } from 'commander';

export const NEEDS_DATABASE =
  '\nThe database: DATABASE_URL, else that of the npm start on this folder.\n\nExample:\n  ';

/** As commander has them. */
export type GrantOptions = { readonly env: readonly string[]; readonly action: readonly string[] };

/** `--env` and `--action`, each as often as there are names, or with commas. */
export function withLimits(command: Command): Command {
  const collect = (value: string, before: readonly string[]) => [
    ...before,
    ...value.split(',').filter((name) => name !== ''),
  ];
  return command
    .option('--env <name>', 'in this environment only (may be repeated)', collect, [])
    .option('--action <name>', 'for this action only (may be repeated)', collect, []);
}
