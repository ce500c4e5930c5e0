/**
 * Plain text as RFC 5322 wants it: CRLF, and no line over 998 octets. SES assembles the MIME message and would take bare LF
 * too, but then what receivers see depends on its encoder. Authors' lines stay as they are; only one that is too long is
 * folded, at white space, so that long links stay in one piece.
 */
const MAX_LINE_OCTETS = 998;
/** UTF-8 octets of a UTF-16 unit, at the most. */
const MAX_OCTETS_A_UNIT = 3;

/** A single word is longer than a line may be. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

/** @throws {LineTooLongError} */
export function toPlainText(text: string): string {
  const unix = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  const isShort = !hasLongLine(unix, MAX_LINE_OCTETS / MAX_OCTETS_A_UNIT);
  if (isShort) return unix.replaceAll('\n', '\r\n');
  return unix
    .split('\n')
    .map((line) => (Buffer.byteLength(line) <= MAX_LINE_OCTETS ? line : foldLine(line)))
    .join('\r\n');
}

function hasLongLine(text: string, units: number): boolean {
  let start = 0;
  while (text.length - start > units) {
    const end = text.indexOf('\n', start);
    if (end < 0 || end - start > units) return true;
    start = end + 1;
  }
  return false;
}

function foldLine(line: string): string {
  const folded: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\s)(?=\S)/)) {
    const octets = Buffer.byteLength(word.trimEnd());
    if (octets > MAX_LINE_OCTETS) {
      throw new LineTooLongError(
        `a word of ${octets} octets does not fit into a line, which has at most ${MAX_LINE_OCTETS} (RFC 5322)`,
      );
    }
    if (Buffer.byteLength((current + word).trimEnd()) > MAX_LINE_OCTETS) {
      folded.push(current.trimEnd());
      current = word;
    } else current += word;
  }
  return [...folded, current.trimEnd()].join('\r\n');
}
