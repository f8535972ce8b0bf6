/** Prints the JUnit document as XML. */
import XMLBuilder from 'fast-xml-builder';
import type { XmlElement } from './junit.js';

/** The text of a document, with a newline at its end. */
export function xmlText(document: XmlElement): string {
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    attributeNamePrefix: '@_',
    suppressEmptyNode: true,
    suppressBooleanAttributes: false,
    format: true,
  });
  return `${builder.build(document).trimEnd()}\n`;
}
