/** The vocabulary of lies of a repository: which of its answers they change, and how. */

import type { Listed, OaiProvider } from '../../support/oai-pmh/provider.ts';
import { document } from '../../support/oai-pmh/repository.ts';
import type { OaiPlace } from './oai-place.ts';
import { always, but, UNPROVEN } from './lie.ts';
import type { RowLie } from './row-lie.ts';
import { CANARY, isOld, type Story } from './story.ts';
import type { Fate, Mode, Row } from './model.ts';

export type OaiLie = RowLie<OaiPlace>;

type Answer = NonNullable<OaiProvider['lie']>;

export const lie = (
  name: string,
  fate: Fate | OaiLie['fate'],
  tell: (provider: OaiProvider, story: Story, mode: Mode) => void,
  more: Partial<OaiLie> = {},
): OaiLie => ({
  name,
  fate: typeof fate === 'function' ? fate : always(fate),
  tell: ({ provider }, story, mode) => tell(provider, story, mode),
  ...more,
});

export const unproven = but(UNPROVEN, 'changes');
export const whenAsked = (fate: Fate): OaiLie['fate'] => but(fate, 'changes');
export const one = ({ recent, random }: Story): Row => random.pick(recent);
export const oldPair = ({ next, random }: Story): Row[] => random.shuffled(next.filter(isOld)).slice(0, 2);
export const lacking = (story: Story, gone: readonly Row[]): Row[] =>
  story.next.filter((row) => !gone.includes(row));
const DAY_MS = 86_400_000;
export const ofTheDay = (asked: number): number => Math.floor(asked / DAY_MS) * DAY_MS;
export const now = (): string => `${new Date(Date.now() - 30_000).toISOString().slice(0, 19)}Z`;

export const xml = (text: string | Uint8Array<ArrayBuffer>, status = 200, headers = {}): Response =>
  new Response(text, { status, headers: { 'content-type': 'text/xml', ...headers } });
export const html = (): Response =>
  new Response(`<!DOCTYPE html><p>${CANARY}`, { headers: { 'content-type': 'text/html' } });
export const error = (code: string): Response => xml(document(`<error code="${code}">why</error>`));

/** Instead of answers to a list; `Identify` and questions about one record are answered as usual. */
export const onLists =
  (answer: (usual: string, query: Readonly<Record<string, string>>) => Response): Answer =>
  (query, _, usual) =>
    query['verb']?.startsWith('List') === true ? answer(usual, query) : undefined;
export const onceOnLists = (answer: (usual: string) => Response): Answer => {
  let told = false;
  return onLists((usual) => {
    if (told) return xml(usual);
    told = true;
    return answer(usual);
  });
};
/** Only a list that is read without `from` has several pages. */
export const onLater =
  (page: number, answer: (usual: string) => Response): Answer =>
  (query, _, usual) => {
    const { at } = JSON.parse(
      Buffer.from(query['resumptionToken'] ?? '', 'base64url').toString() || '{"at":0}',
    ) as { at: number };
    return at === (page - 1) * 40 ? answer(usual) : undefined;
  };
export const whenAskedFor =
  (answer: (usual: string) => Response): Answer =>
  ({ verb }, _, usual) =>
    verb === 'GetRecord' ? answer(usual) : undefined;
export const everywhere =
  (answer: (usual: string) => Response): Answer =>
  (_, __, usual) =>
    answer(usual);
export const identifying =
  (name: string, value: string): Answer =>
  ({ verb }, _, usual) =>
    verb === 'Identify'
      ? xml(usual.replace(new RegExp(`<${name}>[^<]*</${name}>`), `<${name}>${value}</${name}>`))
      : undefined;
export const told =
  (answer: Answer | (() => Answer)) =>
  (provider: OaiProvider): void => {
    provider.lie = answer.length === 0 ? (answer as () => Answer)() : (answer as Answer);
  };
export const bent =
  (bend: (listed: Listed) => void) =>
  (provider: OaiProvider): void => {
    provider.bend = bend;
  };
