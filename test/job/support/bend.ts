/** Replaces the answers to some calls of the stand-in GitLab. */
import type { GitlabCall } from '../../support/gitlab/gitlab.ts';
import type { BankSetup } from './item-bank-setup.ts';

export const answer = (status: number): Response => new Response('{"message":"no"}', { status });

/** Replaces the answers to the first `times` calls of a kind. */
export function bendFirst(
  t: BankSetup,
  what: string,
  times: number,
  how: () => Response | Promise<Response>,
): void {
  let left = times;
  t.gitlab.bend = (call) => (call.what === what && left-- > 0 ? how() : undefined);
}

export const bendItem =
  (project: number, what: string, how: () => Response | Promise<Response>) =>
  (call: GitlabCall): Response | Promise<Response> | undefined =>
    call.project === project && call.what === what && call.method === 'GET' ? how() : undefined;
