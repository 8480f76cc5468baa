/** Gives each answer without an example that of its schema, or a list with the example of its items. */

type Schema = { readonly $ref?: string; readonly items?: Schema; readonly example?: unknown };
type Media = { readonly schema?: Schema; example?: unknown; readonly examples?: unknown };
type Described = {
  readonly paths?: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
};

/** Adds the examples in place. */
export function addExamples<T extends object>(document: T): T {
  const { paths = {}, components } = document as Described;
  const exampleOf = (schema: Schema | undefined): unknown => {
    if (schema?.$ref !== undefined)
      return exampleOf(components?.schemas?.[schema.$ref.replace('#/components/schemas/', '')]);
    if (schema?.example !== undefined || schema?.items === undefined) return schema?.example;
    const one = exampleOf(schema.items);
    return one === undefined ? undefined : [one];
  };
  for (const media of answersOf(paths)) {
    if (media.example !== undefined || media.examples !== undefined) continue;
    const example = exampleOf(media.schema);
    if (example !== undefined) media.example = example;
  }
  return document;
}

function answersOf(paths: Readonly<Record<string, object>>): Media[] {
  return Object.values(paths)
    .flatMap((path) => Object.values(path) as { responses?: Record<string, { content?: object }> }[])
    .flatMap((operation) => Object.values(operation.responses ?? {}))
    .flatMap((answer) => Object.values(answer.content ?? {}) as Media[]);
}
