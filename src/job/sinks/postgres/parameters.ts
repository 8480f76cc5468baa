/** Numbers the parameters of a statement that is built from parts. */
/** Adds a value to the statement's parameters. @returns its placeholder, such as `$3` */
export type Bind = (value: unknown) => string;

export type Parameters = { readonly values: unknown[]; readonly bind: Bind };

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, bind: (value) => `$${values.push(value)}` };
}
