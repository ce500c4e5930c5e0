/**
 * SES's refusals, as data: what they are called here, and status, type and text as SES answers them. The texts are SES's
 * own where they are documented, because some (the used-up quota) can be told apart only by the text.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
 * https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
 */
import { SesError } from './sesError.js';

const REFUSALS = {
  throttle: [429, 'TooManyRequestsException', 'Maximum sending rate exceeded.'],
  'quota-exhausted': [429, 'TooManyRequestsException', 'Daily message quota exceeded.'],
  'limit-exceeded': [400, 'LimitExceededException', 'There are too many instances of the resource.'],
  'sending-paused': [400, 'SendingPausedException', 'Sending is paused for this account.'],
  'account-suspended': [400, 'AccountSuspendedException', 'Account is suspended.'],
  'mail-from-not-verified': [
    400,
    'MailFromDomainNotVerifiedException',
    'The MAIL FROM domain is not verified.',
  ],
  'missing-configuration-set': [404, 'NotFoundException', 'Configuration set does not exist.'],
  'message-rejected': [400, 'MessageRejected', 'Email address is not verified.'],
  'bad-request': [400, 'BadRequestException', 'The request is bad.'],
  'internal-error': [500, 'InternalServiceErrorException', 'Internal failure, nothing was accepted.'],
  'service-unavailable': [503, 'ServiceUnavailableException', 'Unavailable, nothing was accepted.'],
} as const satisfies Record<string, readonly [status: number, type: string, message: string]>;

export type RefusalName = keyof typeof REFUSALS;

export const REFUSAL_NAMES = Object.keys(REFUSALS) as RefusalName[];

/** The error that SES answers with. */
export function refusalOf(name: RefusalName, text?: string): SesError {
  const [status, type, message] = REFUSALS[name];
  return new SesError(status, type, text ?? message);
}
