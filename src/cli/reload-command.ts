/** `reload`: makes the api read the params files again, and tells what changed. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { print, tableOf } from '../terminal/output.ts';

export function reloadCommand(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('reload')
    .description('read the params files again; name what changed, or every fault')
    .addHelpText(
      'after',
      '\nActs on the api that answers. Other apis and the workers see changed files by themselves.\n\nExample:\n  syncrator reload',
    )
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const reloaded = await server.call((api) => api.reload());
      const rows = (['added', 'changed', 'removed'] as const).flatMap((change) =>
        reloaded[change].map(({ target, env }) => [change, target, env]),
      );
      const files = `${reloaded.files} params files, read at ${reloaded.loaded_at}`;
      print(format, reloaded, () =>
        [
          tableOf(['CHANGE', 'TARGET', 'ENV'], rows, 'no target changed since the files were last read'),
          files,
        ].join('\n'),
      );
    });
}
