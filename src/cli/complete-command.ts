/**
 * `complete`: prints the completion script of a shell.
 *
 * Each script passes the words typed so far to `syncrator complete -- <words>`, the unfinished word last, and offers
 * the lines that come back: a word, a tab, a description. No script evaluates a word: pressing a key must never run
 * the text of a line. No script asks after a redirection; a pipe or `;` ends a command in every shell.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Argument, type Command } from 'commander';

const FILES = {
  bash: 'complete.bash',
  zsh: 'complete.zsh',
  fish: 'complete.fish',
  powershell: 'complete.ps1',
} as const;

export function completeCommand(program: Command): void {
  program
    .command('complete')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(FILES)))
    .description('print the completion script of your shell')
    .addHelpText(
      'after',
      '\nIt completes commands, targets, schedules, jobs and losses; the names come from your server.\n\n' +
        'Examples:\n  source <(syncrator complete bash)\n' +
        '  syncrator complete fish > ~/.config/fish/completions/syncrator.fish',
    )
    .action((shell: keyof typeof FILES) => {
      const script = path.join(import.meta.dirname, 'shells', FILES[shell]);
      process.stdout.write(readFileSync(script));
    });
}
