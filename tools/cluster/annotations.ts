/** Table of the fake pods' annotations for the terminal; the README describes them in full. */

const ROWS: readonly (readonly [annotation: string, effect: string])[] = [
  ['start-after: 5s', 'starts to run after that time'],
  ['finish-after: 3s', 'succeeds after that time; never: keeps running'],
  ['exit-code: "3"', 'ends with it: after that time, or at once if written later'],
  ['behaviour: oom', 'or oom-exit-0, image-pull, invalid-image, config-error, start-error,'],
  ['', '   container-creating, evicted, preempted, node-shutdown'],
  ['delete-after: 8s', 'its deletion takes that long'],
  ['never-deleted: "true"', 'its deletion hangs until forced, as on a lost node'],
];

export function annotationTable(): string[] {
  return ROWS.map(([annotation, effect]) =>
    (annotation === '' ? '' : `kwok.syncrator/${annotation}`).padEnd(40).concat(effect),
  );
}
