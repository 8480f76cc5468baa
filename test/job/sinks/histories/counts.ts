/** What histories have led to: a test that they cover every kind. */
export class Counts {
  runs = 0;
  killed = 0;
  refused = 0;
  held = 0;
  removed = 0;
  approved = 0;
  forced = 0;
  rolledBack = 0;
  restored = 0;
  forgotten = 0;

  add(other: Counts): void {
    for (const kind of Object.keys(other) as (keyof typeof other)[]) {
      if (kind !== 'add') this[kind] += other[kind];
    }
  }
}
