/** Formats the help of `syncrator` alone: commands of one group share a line, so that all fit one screen. */
import type { Command, Help } from 'commander';

const WIDTH = 37;

export function rootHelp(root: Command, help: Help): string {
  const options = help
    .visibleOptions(root)
    .filter(({ long }) => long !== '--version') // the first line names it
    .map((option) => line(help.optionTerm(option), help.optionDescription(option)));
  return `Usage: syncrator <command> | --version; help of each: syncrator <command> --help

${commandLines(root, help).join('\n')}

${options.join('\n')}

Exit codes: 0 success, 1 usage error or rejected, 2 job failed, 3 no server, 130 interrupted.
SYNCRATOR_TOKEN replaces a login; NO_COLOR turns colours off.

Example:
  syncrator sync avo qas --follow
`;
}

function commandLines(root: Command, help: Help): string[] {
  const commands = help.visibleCommands(root).filter((command) => command.name() !== 'help');
  return [...Map.groupBy(commands, (command) => command.helpGroup() || command.name()).values()].map(
    (group) => {
      const [first, ...others] = group;
      if (!first) return '';
      if (others.length === 0) return line(help.subcommandTerm(first), first.description());
      return line(group.map((command) => command.name()).join(', '), first.helpGroup());
    },
  );
}

function line(term: string, description: string): string {
  return `  ${term.padEnd(WIDTH)} ${description}`;
}
