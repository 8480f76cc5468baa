/** Query fields as the api takes them. */

type Filled<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out fields that are undefined or empty text. */
export function filled<T extends object>(fields: T): Filled<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  // Object.fromEntries forgets which value belongs to which key.
  return Object.fromEntries(given) as Filled<T>;
}

export function flag(value: boolean | undefined): 'true' | 'false' | undefined {
  if (value === undefined) return undefined;
  return value ? 'true' : 'false';
}
