/** The help of every command fits a terminal window as it opens, and shows an example. */
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';

const LINES = 24;
const COLUMNS = 100;
/** The width that commander assumes without a terminal. */
const PIPE = 80;

const root = createProgram({});
const all = below(root);

test('the tree has all commands', () => {
  expect(all.length).toBeGreaterThan(35);
});

test.each(all.map((command) => [nameOf(command), command] as const))('%s', (name, command) => {
  const help = helpOf(command);
  for (const shown of [help, helpOf(command, PIPE)]) {
    const lines = shown.replace(/\n$/, '').split('\n');
    expect(lines.length, shown).toBeLessThanOrEqual(LINES);
    expect(Math.max(...lines.map((line) => line.length)), shown).toBeLessThanOrEqual(COLUMNS);
  }
  expect(help).toMatch(new RegExp(`^Examples?:\\n(  .*\\n)*  (\\w+=\\S+ )?${name}\\b`, 'm'));
});

test('the first help names every command', () => {
  const help = helpOf(root);
  for (const command of root.commands)
    expect(help).toMatch(new RegExp(`^  ([a-z]+[,|] ?)*${command.name()}\\b`, 'm'));
});

function below(command: Command): Command[] {
  return [command, ...command.commands.flatMap(below)];
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

/** Includes the appended text. */
function helpOf(command: Command, width = COLUMNS): string {
  let help = '';
  command.configureOutput({
    getOutHelpWidth: () => width,
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}
