/**
 * `target check`: runs the sync program's check on this machine, with the params file and the settings that a job of
 * RUNNER=process would have. Neither the settings nor the records pass through api, worker or database.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { readTargetPlaces } from '../config/config.ts';
import { didYouMean } from '../domain/closest-match.ts';
import { settingsFile } from '../domain/names.ts';
import { planSteps } from '../domain/plan.ts';
import { checkJobParams, faultText, JobParams, type ParamsFile } from '../job-params/load.ts';
import { ROOT, SYNC_PROGRAM } from '../runner/process/own-programs.ts';
import { CliFailure } from '../terminal/failure.ts';
import { type Format, print } from '../terminal/output.ts';

type Asked = { readonly target: string; readonly env: string; readonly settings: string | undefined };

/** @throws CliFailure if a sync would fail, after all findings are printed */
export async function checkTarget(format: Format, asked: Asked): Promise<void> {
  const { jobParamsDir, dataDir } = readTargetPlaces();
  const file = await fileOf(jobParamsDir, asked);
  const { env, target } = file;
  const settings = path.resolve(asked.settings ?? path.join(dataDir, settingsFile({ env, target })));
  const child = spawn(process.execPath, [SYNC_PROGRAM, 'check', ...optionsOf(file), ...jsonFor(format)], {
    cwd: ROOT,
    env: { ...environmentOf(file), SYNCRATOR_SETTINGS_FILE: settings },
    stdio: ['ignore', format === 'table' ? 'inherit' : 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const output = child.stdout === null ? '' : await text(child.stdout);
  const [code, signal] = await exited;
  // Wrong arguments have no findings.
  if (output !== '') print(format, JSON.parse(output), () => output);
  if (code !== 0)
    throw new CliFailure(
      `a sync of ${target} in ${env} would fail (the check ended with ${signal ?? `exit code ${code}`})`,
    );
}

function jsonFor(format: Format): string[] {
  return format === 'table' ? [] : ['--json'];
}

/** The params file of the sync, else another one of the target. @throws CliFailure */
async function fileOf(dir: string, { target: name, env }: Asked): Promise<ParamsFile> {
  const { files, faults } = await checkJobParams(dir);
  const params = new JobParams(files);
  const file = params.find({ env, name, action: 'sync' }) ?? params.filesOf({ env, target: name })[0];
  if (!file) {
    const known = files.filter((one) => one.env === env).map((one) => one.name);
    const faulty = faults.map((fault) => `\n${faultText(fault)}`).join('');
    throw new CliFailure(
      `no params file declares ${name} in ${env}${didYouMean(name, known)}; write ${path.join(path.basename(dir), env, `${name}-sync.public_params`)}${faulty}`,
    );
  }
  const { image, command } = file.defaults;
  if (file.runner === 'external' || image !== null || command !== null)
    throw new CliFailure(
      `${file.file} runs another program than ours (RUNNER=external, COMMAND or IMAGE), which this command cannot check`,
    );
  return file;
}

/** The options that a sync would have; those of another action are not a sync's. */
function optionsOf({ parameters, defaults }: ParamsFile): readonly string[] {
  if (parameters.action !== 'sync') return [];
  const plan = planSteps(parameters, defaults);
  if ('error' in plan) throw new CliFailure(plan.error);
  return plan.steps[0]?.args.slice(1) ?? [];
}

/** Of this process only what the program needs: its own settings must come from the file, as in a job. */
function environmentOf({ env, target, parameters, defaults }: ParamsFile): Record<string, string> {
  const plan = planSteps({ ...parameters, action: 'sync', options: '' }, defaults);
  const limits = 'error' in plan ? {} : plan.steps[0]?.environment;
  const inherited = ['PATH', 'HOME', 'TZ', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    ...limits,
    SYNCRATOR_ENV: env,
    SYNCRATOR_TARGET: target,
  };
}
