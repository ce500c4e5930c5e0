/** The header section of a message that came ready-made (RFC 5322), read for its recipients, tags and headers. */
export interface MessageHeaderField {
  name: string;
  value: string;
}

/** Unfolded (RFC 5322, 2.2.3), in order. */
export function parseHeaderFields(message: string): MessageHeaderField[] {
  const end = message.search(/\r?\n\r?\n/);
  const section = (end < 0 ? message : message.slice(0, end)).replace(/\r?\n(?=[ \t])/g, '');
  return section.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 1 ? [] : [{ name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() }];
  });
}

/** Values of all fields of a name, in any case. */
export function valuesOf(fields: readonly MessageHeaderField[], name: string): string[] {
  return fields.filter((field) => field.name.toLowerCase() === name.toLowerCase()).map(({ value }) => value);
}

/** The addresses in a field like To: separated by commas that are in no quoted name. */
export function splitAddresses(value: string): string[] {
  return (value.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((part) => part.trim()).filter(Boolean);
}

/** Encoded words (RFC 2047) as text, for showing. */
export function decodeWords(value: string): string {
  return value
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?([^?\s]+)\?([BbQq])\?([^?]*)\?=/g, (word, charset: string, kind: string, text: string) => {
      const bytes = /b/i.test(kind)
        ? Buffer.from(text, 'base64')
        : Buffer.from(
            text
              .replaceAll('_', ' ')
              .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          );
      try {
        return new TextDecoder(charset.split('*')[0]).decode(bytes);
      } catch {
        return word;
      }
    });
}
