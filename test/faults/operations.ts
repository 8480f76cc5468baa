/** Every operation in a running api's own document, with a request that it accepts. */

export type Operation = {
  readonly method: string;
  /** Contains `{name}` for each parameter. */
  readonly path: string;
  readonly access: 'public' | 'token' | 'report';
  /** Whether it needs Postgres. */
  readonly stored: boolean;
  readonly inPath: readonly string[];
  readonly inQuery: readonly string[];
  readonly inHeaders: readonly string[];
  /** An example of the body, if it takes JSON. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** Every string field of the body. */
  readonly bodyTexts: readonly string[];
};

type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly example?: Record<string, unknown>;
  readonly properties?: Readonly<Record<string, Schema>>;
};

type Described = {
  readonly responses?: Readonly<Record<string, unknown>>;
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { schema: Schema; example?: Record<string, unknown> }>>;
  };
};

type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

export async function readOperations(url: string): Promise<Operation[]> {
  const answer = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(10_000) });
  const { paths, components } = (await answer.json()) as Document;
  const schemaOf = (schema: Schema | undefined): Schema | undefined =>
    schema?.$ref === undefined ? schema : components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]): Operation => {
      const json = described.requestBody?.content['application/json'];
      const schema = schemaOf(json?.schema);
      const named = (where: string) =>
        (described.parameters ?? []).filter((one) => one.in === where).map(({ name }) => name);
      const texts = Object.entries(schema?.properties ?? {})
        // A schema without a type takes anything, texts too.
        .filter(([, { type }]) => type === undefined || [type].flat().includes('string'));
      return {
        method: method.toUpperCase(),
        path,
        access: accessOf(described),
        stored: JSON.stringify(described.responses?.['503'] ?? {}).includes('postgres_away'),
        inPath: named('path'),
        inQuery: named('query'),
        inHeaders: named('header'),
        body: json && (json.example ?? schema?.example ?? {}),
        bodyTexts: texts.map(([name]) => name),
      };
    }),
  );
}

function accessOf({ security }: Described): Operation['access'] {
  if (security === undefined) return 'token';
  return security.length === 0 ? 'public' : 'report';
}
