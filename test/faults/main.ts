/**
 * `npm run faults -- <program> ... [--seed N] [--scale 0.1] [--from REF] [--only WORDS]`: tries to break the product. Progress
 * goes to stderr; each program ends with one line of JSON on stdout. The exit code is 1 after a violation, a late
 * or unfinished end, or less work than required.
 */
import { parseArgs } from 'node:util';
import { type Figures, NotFinished, type Program } from './program.ts';
import { PROGRAMS } from './programs/index.ts';

const USAGE = [
  'npm run faults -- <program> ... [--seed N] [--scale 0.1] [--from REF] [--only WORDS]',
  '',
  ...PROGRAMS.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`),
  '',
  '  --seed N       repeats an earlier run; random by default, and printed',
  '  --scale 0.1    a tenth of the amount; 1 by default',
  '  --from REF     upgrade: the tag or commit to upgrade from; this checkout by default',
  '  --only WORDS   lying-source: the cases whose names match this regular expression',
].join('\n');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    scale: { type: 'string', default: '1' },
    from: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const chosen = positionals.map((name) => PROGRAMS.find((program) => program.name === name));
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const scale = Number(values.scale);
const wrong =
  positionals.length === 0
    ? 'which program?'
    : chosen.includes(undefined)
      ? `unknown program ${positionals.filter((_, at) => chosen[at] === undefined).join(', ')}`
      : !Number.isSafeInteger(seed) || seed < 0 || seed >= 2 ** 32
        ? `--seed ${values.seed} must be a number from 0 to ${2 ** 32 - 1}`
        : !(scale > 0 && scale <= 1)
          ? `--scale ${values.scale} must be a number above 0, up to 1`
          : undefined;
if (wrong !== undefined) {
  console.error(`${wrong}\n\n${USAGE}`);
  process.exit(2);
}

// Processes that we started end with us (server-parts.ts, setpriv), even by SIGKILL.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
for (const program of chosen) if (program && !(await passes(program))) process.exitCode = 1;
// A failing program may leave something open, which must not keep the command running.
process.exit();

async function passes(program: Program): Promise<boolean> {
  const began = Date.now();
  const say = (line: string) =>
    console.error(`${program.name} ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  say(`seed ${seed}, scale ${scale}`);
  let figures: Figures;
  try {
    const amount = (full: number, least = 1) => Math.max(least, Math.round(full * scale));
    figures = await program.run({ seed, scale, from: values.from, only: values.only, amount, say });
  } catch (error) {
    console.error(error);
    const reason = error instanceof Error ? error.message : String(error);
    figures =
      error instanceof NotFinished
        ? { n: 0, expected: 1, violations: [], unsettled: 1 }
        : { n: 0, expected: 1, violations: [`the program itself failed: ${reason}`] };
  }
  const { n, expected, violations, late = [], unsettled = 0, ...more } = figures;
  for (const violation of violations.slice(0, 50)) say(`VIOLATION ${violation}`);
  for (const bound of late.slice(0, 50)) say(`LATE ${bound}`);
  if (unsettled > 0) say(`NOT FINISHED: ${unsettled} jobs unsettled`);
  if (n < expected) say(`SHORT: ${n} of ${expected}`);
  const seconds = Math.round((Date.now() - began) / 1000);
  const broken = { violations: violations.length, late: late.length, unsettled };
  console.log(
    JSON.stringify({ program: program.name, seed, scale, n, expected, ...broken, ...more, seconds }),
  );
  return violations.length === 0 && late.length === 0 && unsettled === 0 && n >= expected;
}
