/** Facts about the quality of a job's data: completeness of the listing, records kept, start time of the next delta. */
import { Badge, SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { JobJson } from '../../client/client.ts';
import { keptWords, LISTING_WORDS, records } from '../../client/data-format.ts';
import { PLAN } from '../../domain/action.ts';
import { heldWords, needsAnswer } from '../../client/loss-format.ts';
import { queries } from '../app/queries.ts';
import { Ago, localTime } from '../parts/clock.tsx';
import { Section } from '../parts/section.tsx';

/** Renders nothing if the program reported none of them. */
export function DataFacts({ job }: { job: JobJson }) {
  const { listing, kept, watermark } = job;
  const isPlan = job.parameters.action === PLAN;
  // What a plan would hold is not held.
  const held = isPlan ? null : job.held;
  const applied = isPlan ? null : job.plan_id;
  // RollbackEffect shows it for a preview.
  const before = job.rollback_preview === null ? job.rollback_before : null;
  if (listing === null && kept === null && !held && watermark === null && before === null && applied === null)
    return null;
  return (
    <Section title="Data">
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 4 }} m={0} spacing="sm">
        {before !== null && (
          <Fact name="Goes back to">
            before{' '}
            <Link to="/jobs/$id" params={{ id: String(before) }}>
              job {before}
            </Link>
          </Fact>
        )}
        {applied !== null && (
          <Fact name="Applies">
            the plan of{' '}
            <Link to="/jobs/$id" params={{ id: String(applied) }}>
              job {applied}
            </Link>
          </Fact>
        )}
        {listing !== null && (
          <Fact name="Source's listing">
            <Badge variant="status" color={listing === 'complete' ? 'green' : 'yellow'} tt="none" radius="sm">
              <span aria-hidden="true">{listing === 'complete' ? '✓' : '?'} </span>
              {LISTING_WORDS[listing]}
            </Badge>
          </Fact>
        )}
        {kept !== null && <Fact name="Kept">{keptWords(kept) ?? 'no records absent from the listing'}</Fact>}
        {held !== null && held > 0 && (
          <Fact name="Held">
            <Held job={job} held={held} />
          </Fact>
        )}
        {watermark !== null && (
          <Fact name="Next delta reads from">
            <span title={watermark}>{localTime(watermark)}</span>, <Ago time={watermark} />
          </Fact>
        )}
      </SimpleGrid>
    </Section>
  );
}

/** Leads to the set that waits, or to those of the past once it is answered. */
function Held({ job: { target, env }, held }: { job: JobJson; held: number }) {
  const waiting = useQuery(queries.waitingLosses()).data;
  const loss = waiting?.find((one) => one.target === target && one.env === env && needsAnswer(one));
  const words = heldWords(held);
  return loss ? (
    <Link to="/losses/$id" params={{ id: String(loss.id) }}>
      {words}
    </Link>
  ) : (
    <>
      {records(held)},{' '}
      <Link to="/losses" search={{ target, env, status: 'all' }}>
        answered since
      </Link>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text component="dt" size="xs" className="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0}>
        {children}
      </Text>
    </div>
  );
}
