/** Refusals that many routes have in common, as the document shows them: made by what throws them. */
import { noToken } from './access.ts';
import { BODY_LIMIT, notJson, tooLarge } from './body.ts';
import { awayProblem, bodyProblem, partProblem, type Problem, problemBody } from './problem.ts';

const COMMON: readonly Problem[] = [
  partProblem('query', [{ field: 'colour', message: 'unknown field' }]),
  noToken(),
  tooLarge(BODY_LIMIT),
  notJson(),
  bodyProblem([{ field: 'colour', message: 'unknown field' }]),
  awayProblem('postgres'),
];

type Examples = Record<string, { value: ReturnType<typeof problemBody> }>;

/**
 * Of one status, by code.
 * @param of.isImplied what all routes have in common may happen on this one, beside its own
 */
export function problemExamples(of: {
  status: number;
  own: readonly Problem[];
  isImplied: boolean;
}): Examples {
  const own = of.own.filter((problem) => problem.status === of.status);
  const common = COMMON.filter((problem) => problem.status === of.status);
  const shown = of.isImplied || own.length === 0 ? [...common, ...own] : own;
  return Object.fromEntries(shown.map((problem) => [problem.code, { value: problemBody(problem) }]));
}
