/** Lies of a GitLab: in its counts, its lists of projects, its answers about one project, and its failures. */

import type { FakeBank, FakeProject } from '../../support/gitlab/bank.ts';
import {
  cutShort,
  type FakeGitlab,
  type GitlabCall,
  loginPage,
  tooMany,
} from '../../support/gitlab/gitlab.ts';
import { always, ends, READ, UNPROVEN } from './lie.ts';
import type { Fate, Mode } from './model.ts';
import { CANARY } from './story.ts';

export type BankStory = {
  readonly bank: FakeBank;
  /** By kind of call, in this run. */
  readonly nth: (call: GitlabCall) => number;
  /** Known items that have not changed, and one that has; chosen by the seed. */
  readonly some: readonly number[];
  readonly changed: number;
};

type Bend = (call: GitlabCall, story: BankStory) => Response | Promise<Response> | undefined;

export type BankLie = {
  readonly name: string;
  readonly fate: (mode: Mode) => Fate;
  readonly bend?: Bend;
  readonly prepare?: (gitlab: FakeGitlab, story: BankStory) => void;
  /** Projects left out of the listing. */
  readonly hidden?: (story: BankStory) => readonly number[];
  /** Those of them that exist, or may exist, when requested by id. */
  readonly answering?: (story: BankStory) => readonly number[];
  readonly failing?: (story: BankStory) => readonly number[];
  readonly marked?: (story: BankStory) => readonly number[];
};

const answer = (
  status: number,
  body = `{"message":"${CANARY}"}`,
  headers: Record<string, string> = {},
): Response => new Response(status === 204 || status === 304 ? null : body, { status, headers });
const FAILED = ends('failed');

const lie = (name: string, fate: Fate | BankLie['fate'], more: Omit<BankLie, 'name' | 'fate'>): BankLie => ({
  name,
  fate: typeof fate === 'function' ? fate : always(fate),
  ...more,
});

/** Changes every call that lists projects. */
const list =
  (bend: Bend): Bend =>
  (call, story) =>
    call.what === 'projects' ? bend(call, story) : undefined;
const onceListed = (how: () => Response): Bend =>
  list((call, story) => (story.nth(call) === 0 ? how() : undefined));
const ofItem =
  (what: string, how: () => Response): Bend =>
  (call, { changed }) =>
    call.what === what && call.project === changed ? how() : undefined;

type Listed = {
  hide?: readonly number[];
  total?: (count: number) => string | null;
  all?: (projects: FakeProject[]) => FakeProject[];
};

/** Lists as GitLab does, except for the given changes. */
function listed(
  call: GitlabCall,
  bank: FakeBank,
  { hide = [], total = String, all = (same) => same }: Listed,
): Response {
  const { query } = call;
  const [size, page] = [Number(query['per_page']), Number(query['page'] ?? 1)];
  const key = (project: FakeProject): number =>
    query['order_by'] === 'id' ? project.id : project.lastActivityAt.getTime();
  const direction = query['sort'] === 'asc' ? 1 : -1;
  const projects = all(
    [...bank.projects.values()]
      .filter(({ id }) => !hide.includes(id))
      .toSorted((a, b) => direction * (key(a) - key(b)) || direction * (a.id - b.id)),
  );
  const told = total(projects.length);
  const headers = new Headers(told === null ? {} : { 'x-total': told });
  if (page * size < projects.length) headers.set('link', `<http://gitlab/?page=${page + 1}>; rel="next"`);
  return Response.json(projects.slice((page - 1) * size, page * size).map(shown), { headers });
}

function shown({ id, path, markedForDeletionOn, lastActivityAt }: FakeProject): object {
  const activity = lastActivityAt.toISOString();
  return {
    id,
    path_with_namespace: path,
    default_branch: 'main',
    marked_for_deletion_on: markedForDeletionOn,
    last_activity_at: activity,
  };
}

const counted = (name: string, total: NonNullable<Listed['total']>, ids: Fate = UNPROVEN): BankLie =>
  lie(name, (mode) => (mode === 'ids' ? ids : READ), {
    bend: list((call, { bank }) => listed(call, bank, { total })),
  });

const hiding = (
  name: string,
  more: Omit<BankLie, 'name' | 'fate' | 'bend' | 'hidden'> & {
    of: (story: BankStory) => readonly number[];
    byId: (() => Response) | null;
  },
): BankLie =>
  lie(name, READ, {
    ...more,
    hidden: more.of,
    bend: (call, story) => {
      const hide = more.of(story);
      if (call.what === 'projects') return listed(call, story.bank, { hide });
      return call.what === 'project' && hide.includes(call.project ?? 0) ? more.byId?.() : undefined;
    },
  });

const few = ({ some }: BankStory): readonly number[] => some.slice(0, 4);
const half = ({ bank, changed }: BankStory): number[] =>
  [...bank.projects.keys()].filter((id) => id % 2 === 0 && id !== changed);
const PART_BUT_CHANGES = (mode: Mode): Fate => (mode === 'changes' ? READ : ends('incompleteListing'));

const ofOne = (name: string, what: string, how: () => Response): BankLie =>
  lie(name, READ, { bend: ofItem(what, how), failing: ({ changed }) => [changed] });

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1234\n`;

const LISTS: readonly BankLie[] = [
  counted('X-Total one too high', (count) => String(count + 1)),
  counted('X-Total one too low', (count) => String(count - 1)),
  counted('X-Total twice as high', (count) => String(count * 2)),
  counted('X-Total half as high', (count) => String(Math.floor(count / 2))),
  counted('no X-Total', () => null, READ),
  counted('an X-Total that is not a number', () => 'many', READ),
  lie('X-Total zero', PART_BUT_CHANGES, {
    bend: list((call, { bank }) => listed(call, bank, { total: () => '0' })),
  }),
  lie('X-Totals that vary by a third', (mode) => (mode === 'ids' ? UNPROVEN : READ), {
    bend: list((call, { bank, nth }) => {
      const isFirst = nth(call) === 0;
      return listed(call, bank, { total: (count) => String(isFirst ? count : Math.floor(count / 1.5)) });
    }),
  }),
  hiding('a subgroup is left out, and answers', { of: few, byId: null, answering: few }),
  hiding('a subgroup is left out, and answers 404: a token of lesser rights', {
    of: few,
    byId: () => answer(404),
  }),
  hiding('a subgroup is left out, and answers 403', { of: few, byId: () => answer(403), answering: few }),
  hiding('a subgroup is left out, and answers 500', {
    of: ({ some }) => some.slice(0, 1),
    byId: () => answer(500),
    answering: ({ some }) => some.slice(0, 1),
  }),
  hiding('half of the group is left out, and answers 404', { of: half, byId: () => answer(404) }),
  hiding('all of the group is left out, and answers 404', {
    of: ({ bank }) => [...bank.projects.keys()],
    byId: () => answer(404),
  }),
  lie('a project that is listed twice', (mode) => (mode === 'ids' ? UNPROVEN : READ), {
    bend: list((call, { bank }) =>
      listed(call, bank, {
        total: (count) => String(count - 1),
        all: ([first, ...more]) => (first ? [first, first, ...more] : []),
      }),
    ),
  }),
  lie('projects in GitLab’s own order, whatever is requested', FAILED, {
    bend: list((call, { bank }) =>
      listed(call, bank, { all: (projects) => projects.toSorted((a, b) => b.id - a.id) }),
    ),
  }),
  lie('the first page, whatever is requested', PART_BUT_CHANGES, {
    bend: list((call, { bank }) => {
      const first = listed({ ...call, query: { ...call.query, page: '1', per_page: '100' } }, bank, {});
      return first;
    }),
  }),
  ...[false, true].map((forEver) =>
    lie(
      forEver ? 'empty pages that promise more, for ever' : 'an empty page that promises more, once',
      (mode) => (mode !== 'changes' && forEver ? FAILED : READ),
      {
        bend: list((call, { nth }) =>
          (forEver ? nth(call) >= 1 : nth(call) === 1)
            ? Response.json([], {
                headers: { link: '<http://gitlab/?page=9>; rel="next"', 'x-total': '100' },
              })
            : undefined,
        ),
      },
    ),
  ),
  lie('new projects without end', ends('incompleteListing'), {
    bend: list((call, { nth }) => {
      const first = 10_000 + nth(call) * 50;
      const projects = Array.from({ length: 100 }, (_, at) => {
        const path = `item-bank/new-${first + at}`;
        return {
          id: first + at,
          path_with_namespace: path,
          default_branch: 'main',
          last_activity_at: new Date().toISOString(),
        };
      });
      return Response.json(projects, {
        headers: { link: '<http://gitlab/?page=9>; rel="next"', 'x-total': '110' },
      });
    }),
  }),
  lie('projects that will be deleted', READ, {
    prepare: ({ bank }, { some }) => some.slice(0, 3).forEach((id) => bank.markForDeletion(id)),
    marked: ({ some }) => some.slice(0, 3),
  }),
];

const ANSWERS: readonly BankLie[] = [
  lie('401 for everything', ends('sourceUnauthorized'), { bend: () => answer(401) }),
  lie('401 from some call on', (mode) => (mode === 'ids' ? READ : ends('sourceUnauthorized')), {
    bend: (call, { nth }) => (call.what === 'commits' && nth(call) >= 5 ? answer(401) : undefined),
  }),
  lie('403 of the listing', ends('sourceUnauthorized'), { bend: list(() => answer(403)) }),
  lie('404 of the group', ends('notConfigured'), { bend: list(() => answer(404)) }),
  ...[203, 204, 206, 302, 410].map((status) =>
    lie(`${status} of the listing`, FAILED, {
      bend: list(() => answer(status, '[]', { location: 'http://127.0.0.1:1/' })),
    }),
  ),
  lie('500 of the listing, once', READ, { bend: onceListed(() => answer(500)) }),
  lie('500 of the listing, for ever', FAILED, { bend: list(() => answer(500)) }),
  lie('502 of the listing, once', READ, { bend: onceListed(() => answer(502)) }),
  lie('502 of the listing, for ever', ends('sourceUnreachable'), { bend: list(() => answer(502)) }),
  lie('429 with Retry-After: 1, once', READ, { bend: onceListed(() => tooMany({ 'retry-after': '1' })) }),
  lie('429 with an absurd Retry-After, once', READ, {
    bend: onceListed(() => tooMany({ 'retry-after': 'soon' })),
  }),
  lie('429 with Retry-After: 999999', FAILED, { bend: list(() => tooMany({ 'retry-after': '999999' })) }),
  lie('a listing that is cut, once', READ, { bend: onceListed(cutShort) }),
  lie('listings that are cut, for ever', ends('sourceUnreachable'), { bend: list(cutShort) }),
  lie('a login page', FAILED, { bend: list(loginPage) }),
  lie('a listing that is not a list', FAILED, { bend: list(() => Response.json({ projects: CANARY })) }),
  lie('a listing with a project without an id', FAILED, {
    bend: list(() => Response.json([{ path_with_namespace: 'item-bank/x' }])),
  }),
  lie('a listing with ids that are texts', FAILED, {
    bend: list(() => Response.json([{ id: '5', path_with_namespace: 'item-bank/x' }])),
  }),
  ...[3_600_000, -3_600_000, 86_400_000 * 366].map((skewMs) =>
    lie(`a clock that is ${skewMs / 3_600_000} h off`, READ, {
      prepare: (gitlab) => void (gitlab.skewMs = skewMs),
    }),
  ),
  lie('no clock', READ, { prepare: (gitlab) => void (gitlab.skewMs = null) }),
];

const ITEMS: readonly BankLie[] = [
  ofOne('403 of one project', 'commits', () => answer(403)),
  ofOne('404 of one repository', 'commits', () => answer(404)),
  ofOne('500 of one project', 'commits', () => answer(500)),
  ofOne('commits that are not a list', 'commits', () => Response.json({})),
  ofOne('an item that is not JSON', 'raw', () => answer(200, `{"a":${CANARY}`)),
  ofOne('an item that is a list', 'raw', () => answer(200, `["${CANARY}"]`)),
  ofOne('an item with U+0000', 'raw', () => answer(200, `{"a":"${CANARY}\\u0000"}`)),
  ofOne('an item with half an emoji', 'raw', () => answer(200, `{"a":"${CANARY}\\ud83d"}`)),
  ofOne('an item that is not UTF-8', 'raw', () => new Response(new Uint8Array([123, 255, 125]))),
  ofOne('an item of status 206', 'raw', () => answer(206, '{}')),
  ofOne('an item that is cut, for ever', 'raw', cutShort),
  ofOne('an item that is a page of HTML', 'raw', loginPage),
  ofOne('an item that is a pointer of Git LFS, and nothing else', 'raw', () => answer(200, pointer)),
];

export const BANK_LIES: readonly BankLie[] = [...LISTS, ...ANSWERS, ...ITEMS];
