/** An element of an XML document without its prefixes: namespaces are resolved, their declarations left out. */

export type XmlElement = {
  /** Without prefix. */
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
  /** The reason why its content is not usable; it may then be incomplete. */
  readonly fault: string | null;
};

export type XmlAttribute = {
  readonly name: string;
  /** As the document writes it; empty without one. */
  readonly prefix: string;
  readonly value: string;
};

export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name && child.namespace === element.namespace);
}

/** The text of a child, trimmed; null without that child. */
export function childText(element: XmlElement, name: string): string | null {
  return childOf(element, name)?.text.trim() ?? null;
}

export function attributeOf({ attributes }: XmlElement, name: string): string | null {
  return attributes.find((attribute) => attribute.name === name && attribute.prefix === '')?.value ?? null;
}

/** The text of an element and all elements within it. */
export function wholeText({ text, children }: XmlElement): string {
  return [text, ...children.map(wholeText)].join(' ').replaceAll(/\s+/g, ' ').trim();
}
