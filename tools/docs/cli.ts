/** docs/reference/cli.md: the command tree of commander. */
import type { Command, Help } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { cell, code, page, table } from './markdown.ts';

export function cliPage(): string {
  const root = createProgram({});
  const help = root.createHelp();
  return page(
    'Command line',
    '`npx syncrator <command>` in a checkout, `syncrator <command>` in the image. [How to work from a terminal](../how-to/terminal.md) ' +
      'has the common tasks.',
    '## Options of every command',
    options(root, help),
    '## Exit codes',
    table(
      ['Code', 'Meaning'],
      [
        ['0', 'done'],
        ['1', 'usage error, or rejected by the server'],
        ['2', 'the run failed, or was cancelled'],
        ['3', 'the server cannot be reached'],
        ['130', 'interrupted'],
      ],
    ),
    ...help
      .visibleCommands(root)
      .filter(isOurs)
      .flatMap((command) => describe(command, help, [])),
  );
}

const isOurs = (command: Command) => command.name() !== 'help';

function describe(command: Command, help: Help, parents: readonly string[]): string[] {
  const names = [...parents, command.name()];
  const children = help.visibleCommands(command).filter(isOurs);
  const usage = ['syncrator', ...names, ...command.registeredArguments.map(argument)].join(' ');
  const aliases = command.aliases().length > 0 ? ` Also: ${command.aliases().map(code).join(', ')}.` : '';
  return [
    `${'#'.repeat(Math.min(4, names.length + 1))} \`${names.join(' ')}\``,
    `${cell(sentence(command.description()))}${aliases}`,
    ...(children.length === 0 ? [`\`\`\`\n${usage}\n\`\`\``] : []),
    ...(help.visibleOptions(command).filter(isOwn).length > 0 ? [options(command, help)] : []),
    ...children.flatMap((child) => describe(child, help, names)),
  ];
}

const isOwn = ({ long }: { long?: string | undefined }) => long !== '--help';

function options(command: Command, help: Help): string {
  return table(
    ['Option', 'Meaning'],
    help
      .visibleOptions(command)
      .filter(isOwn)
      .map((option) => [code(help.optionTerm(option)), cell(help.optionDescription(option))]),
  );
}

function argument(of: Command['registeredArguments'][number]): string {
  const word = `${of.name()}${of.variadic ? '...' : ''}`;
  return of.required ? `<${word}>` : `[${word}]`;
}

function sentence(text: string): string {
  return text === ''
    ? ''
    : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}
