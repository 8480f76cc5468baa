/**
 * Writes an element of any schema as JSON: without attributes and children it is its text; else an object with
 * `@name` for each attribute, a list under the name of its children, and its own text under `#text`.
 */
import type { XmlAttribute, XmlElement } from './xml-element.ts';

export type Tree = string | { readonly [name: string]: string | readonly Tree[] };

export function metadataTree({ attributes, children, text }: XmlElement): Tree {
  const own = text.trim();
  if (attributes.length === 0 && children.length === 0) return own;
  // Without a prototype, since `__proto__` is a name that XML allows.
  const tree = Object.create(null) as Record<string, string | Tree[]>;
  for (const [name, value] of namedAttributes(attributes)) tree[name] = value;
  for (const child of children) {
    const made = metadataTree(child);
    const list = tree[child.name];
    if (Array.isArray(list)) list.push(made);
    else tree[child.name] = [made];
  }
  if (own !== '') tree['#text'] = own;
  return tree;
}

/** Attributes without a prefix first: of two with one name, the other keeps its prefix. */
function namedAttributes(attributes: readonly XmlAttribute[]): Map<string, string> {
  const named = new Map<string, string>();
  const plainFirst = attributes.toSorted((one, other) => one.prefix.length - other.prefix.length);
  for (const { name, prefix, value } of plainFirst)
    named.set(named.has(`@${name}`) ? `@${prefix}:${name}` : `@${name}`, value);
  return named;
}
