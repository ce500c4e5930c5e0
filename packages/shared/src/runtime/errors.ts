/** Wrong settings or wrong usage: the person at the keyboard can mend it. Processes exit with 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** All problems of the settings at once, one a line. */
export class SettingsError extends UsageError {
  override readonly name: string = 'SettingsError';
  constructor(readonly problems: string[]) {
    super(`The settings are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Exit status by kind of error: 2 for usage and settings, 1 for everything else (sysexits is not followed). */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof UsageError ? 2 : 1;
}
