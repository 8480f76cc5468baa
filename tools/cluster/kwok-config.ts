/** The configuration that kwok starts with: our pod stages with their expressions filled in. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const STAGES = path.join(import.meta.dirname, 'stages');
const DURATION = '^[0-9]+([.][0-9]+)?(ms|s|m|h)$';

/** True for a duration that a stage understands, such as `5s` or `1.5m`. */
function isDuration(text: string): boolean {
  return new RegExp(DURATION).test(text);
}

/** @param finishAfter for pods whose annotations do not set their end; `never` lets them run */
export function writeKwokConfig(dir: string, finishAfter: string): string {
  if (finishAfter !== 'never' && !isDuration(finishAfter))
    throw new Error(`finish-after must be a duration such as 5s, or never; got ${finishAfter}`);
  const documents = [
    JSON.stringify({
      apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
      kind: 'KwokConfiguration',
      options: { podPlayStageParallelism: 16 },
    }),
    ...readdirSync(STAGES)
      .toSorted()
      .map((file) => fillIn(readFileSync(path.join(STAGES, file), 'utf8'), finishAfter)),
  ];
  const file = path.join(dir, 'kwok.yaml');
  writeFileSync(file, documents.join('\n---\n'));
  return file;
}

/** Replaces each quoted @NAME@ of a stage by its jq expression. */
function fillIn(stage: string, finishAfter: string): string {
  const expressions = expressionsFor(finishAfter);
  return stage.replaceAll(/["']@([A-Z_]+)@["']/g, (_, name: string) => {
    const expression = expressions[name];
    if (expression === undefined) throw new Error(`a stage names the unknown expression ${name}`);
    return JSON.stringify(expression); // JSON is YAML
  });
}

function annotation(name: string): string {
  return `.metadata.annotations["kwok.syncrator/${name}"]`;
}

function expressionsFor(finishAfter: string): Readonly<Record<string, string>> {
  // kwok restarts a delay at every change of the pod, and after its own restart; hence the elapsed time is
  // subtracted. Kubernetes' times are whole seconds, which could shorten a delay by up to a second, so the first
  // 1.5 s do not count.
  const left = `
    def seconds: capture("^(?<n>[0-9.]+)(?<unit>ms|s|m|h)$")
      | (.n | tonumber) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[.unit];
    def left($after; $since): ($after | seconds) as $s | (now - $since) as $gone
      | (if $gone < 1.5 then $s else ([$s - $gone, 0] | max) end) * 1000 | floor | tostring + "ms";`;
  const isDurationOf = (name: string) => `(${annotation(name)} // "" | test("${DURATION}"))`;
  const toldToEnd = `((${annotation('exit-code')} // "" | test("^[0-9]{1,3}$"))
    or (${annotation('behaviour')} | IN("oom", "oom-exit-0", "evicted", "preempted", "node-shutdown")))`;
  const running = '(.status.containerStatuses[0].state.running.startedAt | fromdate)';
  const defaultApplies =
    finishAfter === 'never'
      ? 'false'
      : `(${annotation('finish-after')} == null or ${annotation('finish-after')} == "")`;
  return {
    START_DELAY: `${left}
      if ${isDurationOf('start-after')}
      then left(${annotation('start-after')};
        ([.status.conditions[]? | select(.type == "PodScheduled") | .lastTransitionTime][0]
          // .metadata.creationTimestamp) | fromdate)
      else "0s" end`,
    FINISH_ASKED: `${isDurationOf('finish-after')} or ${toldToEnd} or ${defaultApplies}`,
    FINISH_DELAY: `${left}
      if ${isDurationOf('finish-after')} then left(${annotation('finish-after')}; ${running})
      elif ${toldToEnd} then "0s"
      else left("${finishAfter === 'never' ? '0s' : finishAfter}"; ${running}) end`,
    DELETE_DELAY: `${left}
      if ${isDurationOf('delete-after')} and .metadata.deletionGracePeriodSeconds > 0
      then left(${annotation('delete-after')};
        (.metadata.deletionTimestamp | fromdate) - .metadata.deletionGracePeriodSeconds)
      else "0s" end`,
  };
}
