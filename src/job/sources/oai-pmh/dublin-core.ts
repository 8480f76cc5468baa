/** Flattens simple Dublin Core: each element becomes a list of its texts, in the order of the document. */
import { type XmlElement, wholeText } from './xml-element.ts';

const OAI_DC = 'http://www.openarchives.org/OAI/2.0/oai_dc/';

export function isDublinCore({ name, namespace }: XmlElement): boolean {
  return name === 'dc' && namespace === OAI_DC;
}

/** The fields; empty elements are left out, and so is xml:lang. */
export function dublinCoreFields({ children }: XmlElement): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const child of children) {
    const text = wholeText(child);
    if (text === '') continue;
    const field = fields.get(child.name);
    if (field) field.push(text);
    else fields.set(child.name, [text]);
  }
  return fields;
}
