import leven from 'leven';

/** `, did you mean "x"?`, or nothing when no name is near. Near: a third of the letters is wrong at the most, or two. */
export function didYouMean(given: string, known: readonly string[]): string {
  const limit = Math.max(2, Math.floor(given.length / 3));
  const [nearest] = known
    .map((name) => ({ name, distance: leven(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= limit && distance < name.length)
    .sort((a, b) => a.distance - b.distance);
  return nearest ? `, did you mean "${nearest.name}"?` : '';
}
