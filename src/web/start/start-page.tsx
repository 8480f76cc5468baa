/** Starts a job: choice of target, env and action, parameters, dry run and start button. */
import { Button, Grid, Group, Select, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import type { Action, DryRunJson, RunBody, TargetJson } from '../../client/client.ts';
import { Refused } from '../../client/http.ts';
import { isPlannable } from '../../domain/action.ts';
import { isSameJson } from '../../domain/same-json.ts';
import { liftsGuard } from '../../domain/options.ts';
import { refetchSoon } from '../app/job-cache.ts';
import { queries } from '../app/queries.ts';
import { jobOf } from '../job/run-again.ts';
import { useMe, useDenialReason, DenialReason } from '../app/permissions.tsx';
import { client } from '../app/session.ts';
import { QueryBoundary, Fault } from '../parts/query-boundary.tsx';
import { Busy } from '../parts/busy.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { DryRun } from './dry-run.tsx';
import { RunForm } from './run-form.tsx';

const SETTLE_MS = 350;

export function StartPage() {
  const targets = useQuery(queries.targets());
  return (
    <>
      <PageHead title="Start a job" />
      <QueryBoundary query={targets} what="targets">
        {(all) => <Choice targets={all} />}
      </QueryBoundary>
    </>
  );
}

function Choice({ targets }: { targets: readonly TargetJson[] }) {
  const search = useSearch({ from: '/start' });
  const navigate = useNavigate();
  const choose = (change: Partial<typeof search>) =>
    void navigate({ to: '/start', search: { ...search, ...change }, replace: true });
  const environments = targets.find(({ name }) => name === search.target)?.environments ?? [];
  const env = environments.find((one) => one.env === search.env);
  // Actions without a path start only through POST /jobs, which needs more fields than this form has.
  const offered = env?.actions.filter(({ path }) => path !== null) ?? [];
  const actions = offered.map(({ action }) => action);
  const path = offered.find(({ action }) => action === search.action)?.path ?? undefined;
  return (
    <>
      <Group mb="md" align="end" component="section" aria-label="Job to start">
        <Select
          label="Target"
          data={targets.map(({ name }) => name)}
          value={search.target ?? null}
          onChange={(target) => choose({ target: target ?? undefined, env: undefined, action: undefined })}
          searchable
        />
        <Select
          label="Environment"
          data={environments.map((one) => one.env)}
          value={env ? env.env : null}
          onChange={(name) => choose({ env: name ?? undefined, action: undefined })}
          disabled={environments.length === 0}
        />
        <Select
          label="Action"
          data={actions}
          value={path === undefined ? null : (search.action ?? null)}
          onChange={(action) => choose({ action: action ?? undefined })}
          disabled={actions.length === 0}
        />
      </Group>
      {path === undefined ? (
        <Text size="sm">
          Choose a target, an environment and an action. A dry run shows the steps before you start the job.
        </Text>
      ) : (
        <Declared key={path} path={path} />
      )}
    </>
  );
}

/** @param path of the params file's start route, such as `/sync/avo/qas` */
function Declared({ path }: { path: string }) {
  const [, action = '', target = '', env = ''] = path.split('/');
  const declared = useQuery(queries.declared(action as Action, target, env));
  return (
    <QueryBoundary query={declared} what="parameters">
      {(parameters) => <Form declared={parameters} name={target} />}
    </QueryBoundary>
  );
}

/** @param props.name the target as the params file is called */
function Form({ declared, name }: { declared: DryRunJson; name: string }) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [run, setRun] = useState<RunBody>(() => runOf(declared));
  const [settled] = useDebouncedValue(run, SETTLE_MS);
  const why = useDenialReason({ role: 'operator', of: run, liftsGuard: liftsGuard(run.options) });
  const isKnown = useMe() !== undefined;
  const dryRun = useQuery({
    ...queries.dryRun(settled),
    placeholderData: keepPreviousData,
    enabled: isKnown && why === undefined,
  });
  const starting = useMutation({
    mutationFn: () => client.run(run),
    onSuccess: (start) => {
      refetchSoon(cache, ['targets']);
      void navigate({ to: '/jobs/$id', params: { id: String(jobOf(start)) } });
    },
  });
  const isShown = settled === run && dryRun.isSuccess && !dryRun.isPlaceholderData;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    starting.mutate();
  };
  const faults = dryRun.error instanceof Refused ? dryRun.error.fields : [];
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: 5 }}>
        <form onSubmit={submit}>
          <Stack gap="sm">
            <RunForm run={run} onChange={setRun} faults={faults} />
            <Busy error={starting.error} />
            <Button type="submit" disabled={!isShown || why !== undefined} loading={starting.isPending}>
              Start {run.action_name} of {run.target} in {run.env}
            </Button>
            {isPlannable(declared.ACTION) && (
              // A plan is that of the params file.
              <PlanIt
                declared={declared}
                name={name}
                disabled={!isShown || why !== undefined || !isSameJson(run, runOf(declared))}
              />
            )}
            <DenialReason why={why} />
          </Stack>
        </form>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 7 }}>
        <Text component="h2" fw={600} size="sm" mb="xs">
          Dry run
        </Text>
        {dryRun.error && faults.length === 0 && <Fault error={dryRun.error} what="dry run" />}
        {dryRun.data && !dryRun.error && <DryRun dryRun={dryRun.data} />}
        {why !== undefined && <DryRun dryRun={declared} />}
      </Grid.Col>
    </Grid>
  );
}

type PlanItProps = { declared: DryRunJson; name: string; disabled: boolean };

function PlanIt({ declared, name, disabled }: PlanItProps) {
  const navigate = useNavigate();
  const planning = useMutation({
    mutationFn: () => client.plan(declared.ACTION_NAME, name, declared.ENV),
    onSuccess: ({ job_id: id }) => void navigate({ to: '/jobs/$id', params: { id: String(id) } }),
  });
  return (
    <>
      <Busy error={planning.error} />
      <Button
        variant="default"
        disabled={disabled}
        loading={planning.isPending}
        onClick={() => planning.mutate()}
      >
        Plan it: look before anything changes
      </Button>
    </>
  );
}

function runOf(declared: DryRunJson): RunBody {
  return {
    target: declared.TARGET,
    env: declared.ENV,
    action_name: declared.ACTION_NAME,
    action: declared.ACTION,
    is_tag: declared.IS_TAG,
    options: declared.OPTIONS.replace(/ ?--api_job_id dryrun$/, ''),
    ...(declared.MAM_MAIN_QUERY === undefined ? {} : { mam_main_query: declared.MAM_MAIN_QUERY }),
  };
}
