/** `complete`: the script that teaches a shell to complete `syncrator`. */
import { Argument, type Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

export function completeCommand(program: Command): void {
  program
    .command('complete')
    .addArgument(new Argument('<shell>', 'yours').choices(SHELLS))
    .description('print what teaches a shell to complete commands, targets, schedules and jobs')
    .addHelpText(
      'after',
      '\nThe script asks `syncrator complete -- <words>`, and that asks the server you are logged in at.\n\n' +
        'Examples:\n  source <(syncrator complete bash)\n' +
        '  syncrator complete fish > ~/.config/fish/completions/syncrator.fish',
    )
    .action(async (shell: string) => {
      const { script } = await import('@bomb.sh/tab');
      script(shell, 'syncrator', 'syncrator');
    });
}
