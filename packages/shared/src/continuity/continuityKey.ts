/** A hash: installation, born_at, mark, at; held_at, reason, data_at; released_at; schema. */
export function continuityKey(prefix: string): string {
  return `${prefix}:1:{continuity}`;
}
