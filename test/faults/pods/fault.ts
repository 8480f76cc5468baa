/** What one fault of a pod is: how it is made, what must be shown while it lasts, how the job must end and when. */
import type { PodOverrides } from '../../../src/domain/job.ts';
import type { Scene } from './scene.ts';

export type Fault = {
  /** Of the target too. */
  readonly name: string;
  /** What the fake pod does: tools/cluster/README.md, without the prefix. */
  readonly pod?: Readonly<Record<string, string>>;
  readonly overrides?: PodOverrides;
  /** Further lines of the params file. */
  readonly lines?: string;
  /** What the program in the pod does (test/support/programs/play.ts); works for longer than the fault lasts by default. */
  readonly options?: string;
  /** What the job must say of itself before its end: its reason with the cluster's own words, or that it is stalled. */
  readonly shows?: { readonly reason: string; readonly words?: RegExp; readonly within: number };
  /** What somebody does to it meanwhile. */
  readonly meddle?: (scene: Scene) => Promise<void>;
  readonly end: {
    /** As the audit's expectations: a status, or `failed:` and the code of the diagnosis. */
    readonly as: string;
    /** In the diagnosis: the evidence, or what to do. */
    readonly words?: RegExp;
    /** Of the first step; 1 by default. */
    readonly attempts?: number;
    /** Seconds from the answer to the request, on a machine that is not overloaded. */
    readonly within: number;
  };
  /** It concerns every pod or Job of the namespace, so nothing else runs meanwhile; its repetitions run at once. */
  readonly alone?: {
    begin(scene: Pick<Scene, 'rig'>): Promise<unknown>;
    end(scene: Pick<Scene, 'rig'>): Promise<unknown>;
  };
};
