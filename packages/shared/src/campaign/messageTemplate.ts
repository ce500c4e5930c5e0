/** `audience: messages`: a campaign's folder that is a template of single messages. It isn't run; programs send by it. */
import { UsageError } from '../runtime/index.js';
import type { Campaign } from './campaignSchema.js';

/** What is about a whole audience, or about a time, and so has no meaning in a template of single messages. */
const OF_RUNS_ONLY: readonly string[] = ['schedule', 'catch_up', 'max_invalid', 'weight'];

export function isMessageTemplate({ audience }: Pick<Campaign, 'audience'>): boolean {
  return 'messages' in audience;
}

/** A template of single messages has no audience that a run could go to. */
export class NotRunnableError extends UsageError {
  override readonly name = 'NotRunnableError';
}

/** @throws {NotRunnableError} */
export function assertRunnable({ id, definition }: { id: string; definition: Campaign }): void {
  if (isMessageTemplate(definition))
    throw new NotRunnableError(
      `${id} is a template of single messages and isn't run: programs send by it, see docs/api.md (POST /api/v1/messages).`,
    );
}

/** @param keys that the file has. @returns those that don't go together with `audience: messages`. */
export function strangersInTemplate(keys: readonly string[]): string[] {
  return keys.filter((key) => OF_RUNS_ONLY.includes(key));
}
