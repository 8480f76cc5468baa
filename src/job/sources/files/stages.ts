/** Keeps the stage of a run: the one of the survey serves a listing, and that one questions about ids. */
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../wait.ts';
import { isSameList, versionsOf } from './place.ts';
import { makeStage, type Stage, type StageOptions } from './stage.ts';

export type Stages = {
  readonly forSurvey: () => Promise<Stage>;
  /** The stage of the survey, or a new one for each further listing. */
  readonly forListing: () => Promise<Stage>;
  /** The open stage, unless its files have changed since. */
  readonly fresh: () => Promise<Stage>;
  /** The versions of the files of the open stage, of this run alone where they are not sure; null without one. */
  readonly versions: () => string | null;
  /** Waits until files that were written a moment ago have stayed the same for a while. @returns whether they did */
  readonly settles: (found: Stage['found']) => Promise<boolean>;
  readonly close: () => void;
};

export function createStages(options: StageOptions & { readonly settleMs: number }): Stages {
  const { place, stop, onWait, settleMs } = options;
  let stage: Stage | null = null;
  let isListed = false;
  const run = randomUUID();

  function close(): void {
    stage?.close();
    stage = null;
  }

  async function current(): Promise<Stage> {
    if (stage === null) {
      stage = await makeStage(options);
      isListed = false;
    }
    return stage;
  }

  return {
    close,
    forSurvey: current,
    versions() {
      if (stage === null) return null;
      const isSure = stage.found.every((file) => file.isSure);
      return isSure ? versionsOf(stage.found) : `${versionsOf(stage.found)} ${run}`;
    },
    async forListing() {
      if (isListed) close();
      const made = await current();
      isListed = true;
      return made;
    },
    async fresh() {
      if (stage !== null && !isSameList(stage.found, await place.list())) close();
      return await current();
    },
    async settles(found) {
      const youngest = found.reduce(
        (latest, { writtenMs }) => Math.max(latest, writtenMs ?? latest),
        -Infinity,
      );
      const left = Math.min(youngest + settleMs - Date.now(), settleMs);
      if (left <= 0) return true;
      onWait(
        `${place.shownAs} was written recently: waiting ${Math.ceil(left / 1000)} s to check that it stays unchanged`,
      );
      await waitFor(left, stop);
      onWait(null);
      return isSameList(found, await place.list());
    },
  };
}
