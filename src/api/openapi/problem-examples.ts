/** Examples of the errors that many routes share, made by the functions that throw them. */
import { noToken } from '../auth/access.ts';
import { BODY_LIMIT, notJson, tooLarge } from '../http/body.ts';
import { awayProblem, bodyProblem, partProblem, type Problem, problemBody } from '../http/problem.ts';

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
 * The examples of one status, by code.
 * @param of.isImplied the shared errors may occur on this route, beside its own
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
