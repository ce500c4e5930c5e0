import { type LiquidError, UndefinedVariableError } from 'liquidjs';
import { explainLiquidError, type MessagePart, type TemplatePlace } from './liquid.js';

const PART_FILES: Record<MessagePart, string> = {
  subject: 'campaign.yaml, subject',
  text: 'body.txt',
  html: 'HTML body',
};

/** Where a template is wrong for a recipient. Never holds the address or a value of the recipient. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  constructor(
    readonly part: MessagePart,
    readonly place: TemplatePlace | undefined,
    readonly reason: string,
    /** The field that the recipient lacks, when that is what is wrong. */
    readonly field?: string,
  ) {
    super(`${PART_FILES[part]}${place ? `:${place.line}:${place.column}` : ''}: ${reason}`);
  }
}

export function toTemplateError(error: LiquidError, part: MessagePart): TemplateError {
  const { place: found, reason } = explainLiquidError(error);
  // In the compiled HTML, which its author has not seen.
  const place = part === 'html' ? undefined : found;
  if (error instanceof UndefinedVariableError) {
    const field = reason.replace(/^undefined variable: /, '');
    return new TemplateError(part, place, `the recipient has no field "${field}"`, field);
  }
  // A filter's message may quote the value that it could not take.
  return new TemplateError(part, place, reason.includes('@') ? 'a filter failed on a value' : reason);
}
