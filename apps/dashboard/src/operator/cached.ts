/** One answer for all who ask within a moment: many open tabs cost as much as one. */
export function cached<Value>(maxAgeMs: number, load: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  let loadedAt = 0;
  return () => {
    if (!value || Date.now() - loadedAt > maxAgeMs) {
      loadedAt = Date.now();
      value = load();
      value.catch(() => {
        value = undefined;
      });
    }
    return value;
  };
}
