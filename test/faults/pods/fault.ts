/** The definition of one fault of a pod: how it is made, what the job must show meanwhile, how and when it must end. */
import type { PodOverrides } from '../../../src/domain/job.ts';
import type { Scene } from './scene.ts';

export type Fault = {
  /** Also the name of the target. */
  readonly name: string;
  /** Annotations of the fake pod without prefix: tools/cluster/README.md. */
  readonly pod?: Readonly<Record<string, string>>;
  readonly overrides?: PodOverrides;
  /** Further lines of the params file. */
  readonly lines?: string;
  /**
   * Options of the program in the pod (test/support/programs/play.ts); by default it works for longer than the
   * fault lasts.
   */
  readonly options?: string;
  /** States that the job must show before its end: its reason with the cluster's own words, or that it is stalled. */
  readonly shows?: { readonly reason: string; readonly words?: RegExp; readonly within: number };
  /** An act of somebody else meanwhile. */
  readonly meddle?: (scene: Scene) => Promise<void>;
  readonly end: {
    /** In the audit's terms: a status, or `failed:` and the code of the diagnosis. */
    readonly as: string;
    /** Words in the diagnosis: in the evidence, or in what to do. */
    readonly words?: RegExp;
    /** Attempts of the first step; 1 by default. */
    readonly attempts?: number;
    /** Seconds from the request to the end, on a machine that is not overloaded. */
    readonly within: number;
  };
  /** It affects every pod or Job of the namespace, so only its own repetitions run meanwhile, all at once. */
  readonly alone?: {
    begin(scene: Pick<Scene, 'rig'>): Promise<unknown>;
    end(scene: Pick<Scene, 'rig'>): Promise<unknown>;
  };
};
