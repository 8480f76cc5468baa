/** All cases: every lie, as every source that can tell it, before every action. */

import { runBankCase } from './bank-case.ts';
import { BANK_LIES } from './bank-lies.ts';
import { type Action, ACTIONS, runCase } from './case.ts';
import { OF_CONNECTORS } from './lies-of-connectors.ts';
import { mayLackEvidence } from './drop-place.ts';
import { OF_FILES } from './lies-of-files.ts';
import { LISTINGS } from './lies-of-listings.ts';
import { RECORDS } from './lies-of-records.ts';
import { ANSWERS } from './lies-of-answers.ts';
import { PAGES } from './lies-of-pages.ts';
import { OF_DROPS } from './lies-of-drops.ts';
import { OF_REPOSITORIES } from './lies-of-repositories.ts';
import { tableLiesOf } from './lies-of-tables.ts';
import type { Lie, SourceKind } from './lie.ts';
import { lineScene } from './line-scene.ts';
import { liveTable } from './live-table.ts';
import type { Fate, Mode } from './model.ts';
import { rowScene } from './row-scene.ts';
import type { Stage } from './stage.ts';

export type Case = {
  readonly lie: string;
  readonly source: string;
  readonly action: Action;
  readonly proven: boolean;
  readonly seed: number;
  /** @param table of this case only */
  play(stage: Stage, table: string): Promise<{ violations: string[]; verdicts: string[] }>;
};

type Told = {
  readonly lie: { readonly name: string; readonly fate?: (mode: Mode) => Fate };
  readonly source: string;
  /** Each listing gives evidence. */
  readonly alwaysProven?: boolean;
  play(
    stage: Stage,
    of: { table: string; seed: number; action: Action; proven: boolean },
  ): ReturnType<Case['play']>;
};

export function allCases(seed: number): Case[] {
  const told = [
    ...ofLines(),
    ...ofTables(),
    ...ofDrops(),
    ...ofRepositories(),
    ...ofConnectors(),
    ...ofBank(),
  ];
  return told
    .flatMap((one) =>
      ACTIONS.flatMap((action) => priorsOf(one, action).map((proven) => ({ ...one, action, proven }))),
    )
    .map(({ lie, source, action, proven, play }, at) => {
      const own = (seed + at) % 2 ** 31;
      return {
        lie: lie.name,
        source,
        action,
        proven,
        seed: own,
        play: (stage, table) => play(stage, { table, seed: own, action, proven }),
      };
    });
}

export function nameOf({ lie, source, action, proven, seed }: Case): string {
  return `${lie} (${source}, ${action}${proven ? '' : ', unproven before'}, seed ${seed})`;
}

function ofLines(): Told[] {
  const lies: readonly Lie[] = [...RECORDS, ...LISTINGS, ...ANSWERS, ...PAGES, ...OF_FILES];
  return lies.flatMap((lie) =>
    sourcesOf(lie).map((source) => ({
      lie,
      source,
      play: async ({ client, sinkUrl, ...stage }, { table, seed, ...of }) => {
        const sink = liveTable(client, sinkUrl, table);
        return await runCase(lineScene({ lie, source, seed }, { ...stage, sink }), of, sink);
      },
    })),
  );
}

function ofTables(): Told[] {
  return (['postgres', 'sqlite', 'mysql'] as const).flatMap((dialect) =>
    tableLiesOf(dialect).map((lie) => ({
      lie,
      source: dialect,
      alwaysProven: true,
      play: async ({ client, sinkUrl, runner, sql }, { table, seed, ...of }) => {
        const sink = liveTable(client, sinkUrl, table);
        const scene = rowScene({ lie, seed }, { runner, place: sql[dialect], sink });
        return await runCase(scene, of, sink);
      },
    })),
  );
}

function ofDrops(): Told[] {
  return OF_DROPS.flatMap((lie) =>
    lie.of.map((drop) => ({
      lie,
      source: `files, ${drop}`,
      alwaysProven: !mayLackEvidence(drop),
      play: async ({ client, sinkUrl, runner, drops }, { table, seed, ...of }) => {
        const sink = liveTable(client, sinkUrl, table);
        const scene = rowScene({ lie, seed }, { runner, place: drops[drop], sink });
        return await runCase(scene, of, sink);
      },
    })),
  );
}

function ofRepositories(): Told[] {
  return OF_REPOSITORIES.map((lie) => ({
    lie,
    source: 'oai-pmh',
    play: async ({ client, sinkUrl, runner, oai }, { table, seed, ...of }) => {
      const sink = liveTable(client, sinkUrl, table);
      return await runCase(rowScene({ lie, seed }, { runner, place: oai, sink }), of, sink);
    },
  }));
}

function ofConnectors(): Told[] {
  return OF_CONNECTORS.flatMap((lie) =>
    lie.of.map((protocol) => ({
      lie,
      source: `connector, ${protocol}`,
      alwaysProven: protocol === 'airbyte',
      play: async ({ client, sinkUrl, runner, connectors }, { table, seed, ...of }) => {
        const sink = liveTable(client, sinkUrl, table);
        const scene = rowScene({ lie, seed }, { runner, place: connectors[protocol], sink });
        return await runCase(scene, of, sink);
      },
    })),
  );
}

function ofBank(): Told[] {
  return BANK_LIES.map((lie) => ({
    lie: { name: lie.name },
    source: 'gitlab',
    play: async (stage, { table, seed, action }) => ({
      violations: await runBankCase({ lie, action, seed }, { ...stage, table }),
      verdicts: ['of the bank'],
    }),
  }));
}

function sourcesOf({ only }: Lie): readonly SourceKind[] {
  return only === undefined ? ['http', 'file'] : [only];
}

/** Earlier evidence matters only to a listing without its own. */
function priorsOf({ lie: { fate }, alwaysProven }: Told, action: Action): readonly boolean[] {
  const modes = action === 'sync' ? (['everything'] as const) : action === 'delta' ? [] : (['ids'] as const);
  if (alwaysProven === true) return [true];
  return modes.some((mode) => fate?.(mode).kind === 'unproven') ? [true, false] : [true];
}
