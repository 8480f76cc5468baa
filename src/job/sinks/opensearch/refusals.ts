/** Describes why a document is refused, without its data: the servers' messages quote values. Pure. */

/** An error of one document in the answer to a bulk request, with the reasons of its causes. */
export type ItemError = { readonly type: string; readonly reason: string };

/** Maps messages to reasons that name only the field. */
const REASONS: readonly (readonly [RegExp, (field: string) => string])[] = [
  [
    /[Ff]ield \[([^\]]{1,100})\] is a metadata field/,
    (field) => `the field '${field}' has a name that the server keeps for itself; rename it (FIELDS)`,
  ],
  [
    /failed to parse field \[([^\]]{1,100})\]/,
    (field) => `the value of the field '${field}' does not fit its type in SINK_MAPPING`,
  ],
  [
    /object mapping for \[([^\]]{1,100})\] tried to parse field/,
    (field) => `the field '${field}' is an object in SINK_MAPPING, and the record has another value`,
  ],
  [
    /dynamic introduction of \[([^\]]{1,100})\]/,
    (field) => `SINK_MAPPING knows no field '${field}'; add it there or remove it in the source`,
  ],
  [
    /immense term in field="([^"]{1,100})"/,
    (field) => `the value of the field '${field}' is longer than one term can be (32,766 bytes)`,
  ],
];

export function reasonIn({ type, reason }: ItemError): string {
  for (const [form, inWords] of REASONS) {
    const field = form.exec(reason)?.[1];
    if (field !== undefined) return inWords(field);
  }
  return `the server refuses it (${type.slice(0, 100)}); see the server's log for the reason`;
}
