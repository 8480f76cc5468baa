/** The story that a job tells of a record, as a timeline with the changed fields, newest first. */
import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { JobJson, StoryEntryJson, StoryJson, StoryValueJson } from '../../client/client.ts';
import {
  entryWords,
  fieldChanges,
  NOT_SHOWN,
  OTHERS_WORDS,
  reachWords,
  stateWords,
  wholeValue,
} from '../../client/story-format.ts';
import { storyOf } from '../../domain/options.ts';
import { queries } from '../app/queries.ts';
import { Ago, localTime } from '../parts/clock.tsx';
import { CodeBlock } from '../parts/code-block.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { Section } from '../parts/section.tsx';
import { AskStory } from './ask-story.tsx';
import './story.css';

/** On the page of every job whose target may have a history. */
export function StoryOfJob({ job }: { job: JobJson }) {
  const { id, target, env, parameters, status, runner } = job;
  if (runner === 'external') return null;
  const record = storyOf(parameters);
  return (
    <Section title="Story of a record">
      {record !== undefined && status === 'completed' && <Told jobId={id} />}
      <AskStory target={target} env={env} key={id} {...(record === undefined ? {} : { id: record })} />
    </Section>
  );
}

function Told({ jobId }: { jobId: number }) {
  const story = useQuery(queries.story(jobId));
  return (
    <QueryBoundary query={story} what="the story">
      {(told) => <Story story={told} />}
    </QueryBoundary>
  );
}

function Story({ story }: { story: StoryJson }) {
  const { id, live, kept, last_seen: seen, pinned_until: pinned } = story;
  return (
    <div className="story">
      <Text size="sm">
        <b className="as-written">{id}</b> was {stateWords(story)}
        {kept !== null && (
          <>
            {' '}
            (since <Ago time={kept.since} />)
          </>
        )}
        . Told <Ago time={story.told_at} />.
        {seen !== null && ` A full listing had it last ${localTime(seen)}.`}
        {pinned !== null && ` An answer keeps it until ${localTime(pinned)}.`}
      </Text>
      {live && <Value name="Live value" value={live} />}
      <ol className="story-entries" aria-label={`What happened to ${id}, newest first`}>
        {story.entries.map((entry) => (
          <Entry key={`${entry.at} ${entry.kind} ${entry.job_id} ${entry.answer?.by}`} entry={entry} />
        ))}
      </ol>
      <Text size="xs" mb="sm" className="dimmed">
        Before that: {reachWords(story)}.
      </Text>
    </div>
  );
}

function Entry({ entry }: { entry: StoryEntryJson }) {
  const whole = wholeValue(entry);
  return (
    <li className={`is-${entry.kind}`}>
      <Text size="sm" fw={600}>
        {entryWords(entry, localTime)} <span className="figures">{localTime(entry.at)}</span>
      </Text>
      <Text size="xs">
        <By entry={entry} />
      </Text>
      {entry.approvals.map(({ by, at, reason }) => (
        <Text size="xs" key={`${by} ${at}`}>
          approved by {by}, <Ago time={at} />: “{reason}”
        </Text>
      ))}
      {whole ? <Value name={`Value at ${entry.at}`} value={whole} /> : <Changes entry={entry} />}
      {entry.changed_by_others && <Text size="xs">{OTHERS_WORDS}</Text>}
    </li>
  );
}

function By({ entry: { job_id: id, action, requested_by: by, answer } }: { entry: StoryEntryJson }) {
  if (answer !== null) return <ByAnswer answer={answer} jobId={id} />;
  if (id === null)
    return action === null ? 'by a job that is not known any more' : `by a ${action} of an unknown job`;
  return (
    <>
      by <JobLink id={id} /> ({action ?? 'unknown'}){by !== null && `, asked for by ${by}`}
    </>
  );
}

/** @param props.jobId the removal that an approval led to */
function ByAnswer({
  answer: { by, loss_id: loss, reason },
  jobId,
}: {
  answer: NonNullable<StoryEntryJson['answer']>;
  jobId: number | null;
}) {
  return (
    <>
      by {by}, as a record of{' '}
      <Link to="/losses/$id" params={{ id: String(loss) }}>
        loss {loss}
      </Link>
      : “{reason}”
      {jobId !== null && (
        <>
          ; it led to <JobLink id={jobId} />
        </>
      )}
    </>
  );
}

function JobLink({ id }: { id: number }) {
  return (
    <Link to="/jobs/$id" params={{ id: String(id) }}>
      job {id}
    </Link>
  );
}

function Changes({ entry }: { entry: StoryEntryJson }) {
  const changes = fieldChanges(entry);
  if (!changes)
    return (
      <Text size="xs">
        changed: <span className="as-written">{(entry.changed ?? []).join(', ')}</span>; the values are{' '}
        {NOT_SHOWN}
      </Text>
    );
  if (changes.length === 0) return null;
  return (
    <Table verticalSpacing={2} className="story-changes">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Field</Table.Th>
          <Table.Th scope="col">Before</Table.Th>
          <Table.Th scope="col">After</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {changes.map(({ field, before, after }) => (
          <Table.Tr key={field}>
            <Table.Th scope="row" className="as-written">
              {field}
            </Table.Th>
            <Table.Td className="as-written">{before ?? '(none)'}</Table.Td>
            <Table.Td className="as-written">{after ?? '(none)'}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Value({ name, value: { record } }: { name: string; value: StoryValueJson }) {
  if (record === null) return <Text size="xs">The value is {NOT_SHOWN}.</Text>;
  return <CodeBlock name={name}>{JSON.stringify(record, null, 2)}</CodeBlock>;
}
