/** @returns undefined for what is no JSON: the parser's own error would repeat some of the text, which may hold an address. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
