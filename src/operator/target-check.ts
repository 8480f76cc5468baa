/**
 * `target check`: runs the sync program's check on this machine, with the params file and the settings that a job of
 * RUNNER=process would have. Neither the settings nor the records pass through api, worker or database.
 */
import path from 'node:path';
import { readTargetPlaces } from '../config/config.ts';
import { didYouMean } from '../domain/closest-match.ts';
import type { StepSpec } from '../domain/job.ts';
import { EXIT } from '../domain/exit-code.ts';
import { planSteps } from '../domain/plan.ts';
import { checkJobParams, faultText, JobParams, type ParamsFile } from '../job-params/load.ts';
import { type Checked, runCheckProgram } from '../runner/process/check-program.ts';
import { CliFailure } from '../terminal/failure.ts';
import { type Format, print } from '../terminal/output.ts';

type Asked = { readonly target: string; readonly env: string; readonly settings: string | undefined };

/** Exit codes of a check that came to no verdict: it cannot test this source, or was ended. */
const NO_VERDICT: readonly Checked['end'][] = [EXIT.usage, EXIT.terminated];

/** @throws CliFailure if a sync would fail, or was not checked, after all findings are printed */
export async function checkTarget(format: Format, asked: Asked): Promise<void> {
  const { jobParamsDir, dataDir } = readTargetPlaces();
  const file = await fileOf(jobParamsDir, asked);
  const { env, target } = file;
  await checkSync(format, { key: { env, target }, spec: syncOf(file), dataDir, settings: asked.settings });
}

/** @throws CliFailure if a sync would fail, or was not checked, after all findings are printed */
export async function checkSync(
  format: Format,
  sync: Omit<Parameters<typeof runCheckProgram>[0], 'json'>,
): Promise<void> {
  const { env, target } = sync.key;
  const { end, output } = await runCheckProgram({ ...sync, json: format !== 'table' });
  // A program that refuses its arguments has no findings.
  if (output !== '') print(format, JSON.parse(output), () => output);
  if (end === 0) return;
  const how = `the check ended with ${typeof end === 'number' ? `exit code ${end}` : end}`;
  throw new CliFailure(
    typeof end !== 'number' || NO_VERDICT.includes(end)
      ? `${target} in ${env} was not checked: ${how}`
      : `a sync of ${target} in ${env} would fail (${how})`,
  );
}

/** The params file of the sync, else another one of the target. @throws CliFailure */
async function fileOf(dir: string, { target: name, env }: Asked): Promise<ParamsFile> {
  const { files, faults } = await checkJobParams(dir);
  const params = new JobParams(files);
  const ofSync = path.join(path.basename(dir), env, `${name}-sync.public_params`);
  const own = faults.filter((fault) => fault.file === ofSync);
  // Not another file of the target instead: its tag, guard and options may differ.
  if (own.length > 0) throw new CliFailure(`${own.map(faultText).join('\n')}\ncorrect it, and check again`);
  const file = params.find({ env, name, action: 'sync' }) ?? params.filesOf({ env, target: name })[0];
  if (!file) {
    const known = files.filter((one) => one.env === env).map((one) => one.name);
    const faulty = faults.map((fault) => `\n${faultText(fault)}`).join('');
    throw new CliFailure(
      `no params file declares ${name} in ${env}${didYouMean(name, known)}; write ${ofSync}${faulty}`,
    );
  }
  const { image, command } = file.defaults;
  if (file.runner === 'external' || image !== null || command !== null)
    throw new CliFailure(
      `${file.file} runs another program than ours (RUNNER=external, COMMAND or IMAGE), which this command cannot check`,
    );
  return file;
}

/** The step of a sync of the target. The options of another action are not a sync's. */
export function syncOf({ parameters, defaults }: ParamsFile): StepSpec {
  const options = parameters.action === 'sync' ? parameters.options : '';
  const plan = planSteps({ ...parameters, action: 'sync', options }, defaults);
  if ('error' in plan) throw new CliFailure(plan.error);
  const [step] = plan.steps;
  if (!step) throw new Error('a sync has no step');
  return step;
}
