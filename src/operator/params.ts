/** `params check`: lists what params files declare, and every error in them. */
import path from 'node:path';
import { CliFailure } from '../terminal/failure.ts';
import { type Format, print, tableOf } from '../terminal/output.ts';
import { readJobParamsDir } from '../config/config.ts';
import { checkJobParams, faultText, type ParamsFile } from '../job-params/load.ts';

/** @throws CliFailure if a file has an error, after all errors are printed */
export async function checkParams(format: Format, folder: string | undefined): Promise<void> {
  const { files, faults } = await checkJobParams(
    folder === undefined ? readJobParamsDir() : path.resolve(folder),
  );
  const declared = files.map(summaryOf);
  print(format, { files: declared, faults }, () => {
    const rows = declared.map(({ file, starts, schedule }) => [file, starts, schedule ?? '']);
    const told = faults.map(faultText);
    return [tableOf(['FILE', 'STARTS', 'SCHEDULE'], rows, 'no valid file'), ...told].join('\n');
  });
  if (faults.length > 0) {
    const bad = new Set(faults.map(({ file }) => file));
    const all = new Set([...bad, ...files.map(({ file }) => file)]);
    throw new CliFailure(`errors: ${faults.length}, in ${bad.size} of ${all.size} files`);
  }
}

function summaryOf({ file, parameters, target, env, schedule }: ParamsFile) {
  return {
    file,
    starts: `${parameters.action_name} of ${target} in ${env}`,
    schedule: schedule && `${schedule.text} (${schedule.timezone})`,
  };
}
