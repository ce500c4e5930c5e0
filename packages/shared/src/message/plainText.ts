/**
 * Plain text as RFC 5322 wants it: CRLF, and no line over 998 octets. Authors' lines stay as they are; only one that is too
 * long is folded, at white space, so that long links stay in one piece.
 */
const MAX_LINE_OCTETS = 998;

/** A single word is longer than a line may be. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

export function toPlainText(text: string): string {
  const lines = text.split(/\r\n|\r|\n/);
  return lines
    .map((line) => (Buffer.byteLength(line) <= MAX_LINE_OCTETS ? line : foldLine(line)))
    .join('\r\n');
}

function foldLine(line: string): string {
  const folded: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\s)(?=\S)/)) {
    if (Buffer.byteLength(word.trimEnd()) > MAX_LINE_OCTETS) {
      throw new LineTooLongError(
        `A word of ${Buffer.byteLength(word)} octets does not fit into a line of ${MAX_LINE_OCTETS} (RFC 5322).`,
      );
    }
    if (Buffer.byteLength((current + word).trimEnd()) > MAX_LINE_OCTETS) {
      folded.push(current.trimEnd());
      current = word;
    } else current += word;
  }
  return [...folded, current.trimEnd()].join('\r\n');
}
