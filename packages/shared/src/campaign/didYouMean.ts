import leven from 'leven';

/** The known name that was probably meant: a third of the letters is wrong at the most, or two. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(given.length / 3));
  const [nearest] = known
    .map((name) => ({ name, distance: leven(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= limit && distance < name.length)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** `, did you mean "x"?`, or nothing when no name is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known);
  return nearest === undefined ? '' : `, did you mean "${nearest}"?`;
}
