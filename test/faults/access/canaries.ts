/** The secrets that enter the system, each with the places that must contain it; anywhere else it is a leak. */
import { randomBytes } from 'node:crypto';

export type Canary = {
  readonly name: string;
  readonly value: string;
  /** Places that may contain it. */
  readonly allowed: readonly (typeof ALLOWED)[number]['place'][];
  /** A place where the search must find it; else the search itself is blind. */
  readonly seen?: string;
};

/** Written by hand, with the reason for each. */
export const ALLOWED = [
  { place: 'Kubernetes secrets', because: 'settings of source and sink are stored there, for the pod only' },
  { place: 'Kubernetes jobs', because: 'the report token goes by environment; arguments go byte for byte' },
  { place: 'Kubernetes pods', because: 'a pod repeats its Kubernetes Job' },
  {
    place: 'table jobs',
    because: 'the parameters and the frozen steps, which the program must get unchanged',
  },
  { place: 'table idempotency_keys', because: 'a key is stored to recognise it; it opens nothing' },
] as const;

/** A random secret that occurs nowhere else. */
export function secret(): string {
  return `canary${randomBytes(12).toString('hex')}`;
}

/** @returns one line for each canary in a wrong place, or missing where it must be */
export function findCanaries(canaries: readonly Canary[], places: ReadonlyMap<string, string>): string[] {
  return canaries.flatMap((canary) => {
    const forms = formsOf(canary.value);
    const allowed: readonly string[] = canary.allowed;
    const found = [...places].flatMap(([place, text]) => {
      const at = forms.map((form) => text.indexOf(form)).find((index) => index >= 0);
      return at === undefined ? [] : [{ place, around: text.slice(Math.max(0, at - 150), at + 40) }];
    });
    const leaks = found
      .filter(({ place }) => !allowed.includes(place))
      .map(({ place, around }) => `${canary.name} is in ${place}: ${around.replaceAll(/\s+/g, ' ')}`);
    return canary.seen !== undefined && !found.some(({ place }) => place === canary.seen)
      ? [...leaks, `${canary.name} was not found in ${canary.seen}, where it must be`]
      : leaks;
  });
}

/** The secret itself, in a URL, and in base64 at each of its three possible offsets. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Its first and last characters depend on its neighbours.
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  return [
    ...new Set([
      value,
      encodeURIComponent(value),
      encodeURIComponent(value).replaceAll('%20', '+'),
      ...shifted,
    ]),
  ];
}
