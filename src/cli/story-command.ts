/** `story`: what the history of a target knows of one record. */
import type { Command } from 'commander';
import type { StoryEntryJson, StoryJson } from '../client/client.ts';
import {
  causeWords,
  entryWords,
  fieldChanges,
  NOT_SHOWN,
  OTHERS_WORDS,
  reachWords,
  stateWords,
  valueWords,
  wholeValue,
} from '../client/story-format.ts';
import { ago } from '../client/format.ts';
import { fieldsOf, print, styled, shown } from '../terminal/output.ts';
import type { Context } from './context.ts';
import { endWith, follow, summaryOf } from './follow.ts';

export function storyCommand(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('story <target> <env> <record>')
    .description('tell what happened to one record: which job changed it, and how')
    .option('-w, --wait', 'show no progress')
    .addHelpText(
      'after',
      `
Starts a short job that reads the history in the sink and changes nothing, waits for it, and
shows the newest change first, with the answers of people to losses that had the record.
The story stays readable for 7 days. For operators; one with
limited actions needs story among them. SINK=postgres only.

Examples:
  syncrator story avo qas k00042
  syncrator story avo qas --output json -- -starts-with-a-dash`,
    )
    .action(async (target: string, env: string, id: string, { wait }: { wait?: true }, command: Command) => {
      const { server, format } = contextOf(command);
      const started = await server.call((api) => api.story(target, env, id));
      const job = await follow(server, started.job_id, { quiet: wait === true || format !== 'table' });
      if (job.status === 'completed') {
        const story = await server.call((api) => api.storyOfJob(job.id));
        print(format, story, () => describeStory(story));
      } else print(format, job, () => summaryOf(job));
      endWith(job);
    });
}

function describeStory(story: StoryJson): string {
  const { target, env, id, job_id: job, live, kept, pinned_until: pinned, last_seen: seen } = story;
  const facts = fieldsOf({
    record: `${JSON.stringify(id)} of ${target} in ${env}`,
    'told by': `job ${job}`,
    state: stateWords(story),
    since: kept && `${kept.since}, ${ago(kept.since)}`,
    'kept until': pinned,
    'last seen': seen && `${seen}, ${ago(seen)}, in a full listing`,
    now: live && valueWords(live),
  });
  const reach = styled('dim', shown(reachWords(story)));
  return [facts, ...story.entries.map(entryText), reach].join('\n\n');
}

function entryText(entry: StoryEntryJson): string {
  const head = styled('bold', shown(`${entry.at}  ${entryWords(entry)}`));
  const approvals = entry.approvals.map(({ by, reason }) => `approved by ${by}: ${reason}`);
  const whole = wholeValue(entry);
  const lines = [
    causeWords(entry),
    ...approvals,
    ...(whole ? [valueWords(whole)] : changeLines(entry)),
    ...(entry.changed_by_others ? [OTHERS_WORDS] : []),
  ];
  return [head, ...lines.map((line) => `  ${shown(line)}`)].join('\n');
}

function changeLines(entry: StoryEntryJson): string[] {
  const changes = fieldChanges(entry);
  if (!changes) return [`changed: ${(entry.changed ?? []).join(', ')} (${NOT_SHOWN})`];
  return changes.map(({ field, before, after }) => `${field}: ${before ?? '(none)'} → ${after ?? '(none)'}`);
}
