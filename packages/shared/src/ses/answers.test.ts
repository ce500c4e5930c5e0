import { describe, expect, it } from 'vitest';
import { answerOf } from './answers.js';

const sesError = (name: string, status: number, message = '') =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
const systemError = (code: string) => Object.assign(new Error(code), { code });

describe("what SES's answers mean", () => {
  it.each([
    [sesError('TooManyRequestsException', 429), 'released', 'slow'],
    [sesError('TooManyRequestsException', 429, 'Daily message quota exceeded.'), 'released', 'quota'],
    [sesError('LimitExceededException', 400), 'released', 'pause'],
    [sesError('SendingPausedException', 400), 'released', 'pause'],
    [sesError('AccountSuspendedException', 400), 'released', 'pause'],
    [sesError('MailFromDomainNotVerifiedException', 400), 'released', 'pause'],
    [sesError('NotFoundException', 404), 'released', 'pause'],
    [
      sesError('InvalidSignatureException', 403, 'Signature expired: 20261124T100000Z is now earlier than …'),
      'released',
      'none',
    ],
    [sesError('AccessDeniedException', 403), 'released', 'pause'],
    [sesError('SomethingNew', 403), 'released', 'pause'],
    [systemError('ECONNREFUSED'), 'released', 'wait'],
    [systemError('ENOTFOUND'), 'released', 'wait'],
    [sesError('MessageRejected', 400), 'rejected', undefined],
    [sesError('BadRequestException', 400), 'rejected', undefined],
    [sesError('InternalServiceErrorException', 500), 'unknown', undefined],
    [sesError('ServiceUnavailable', 503), 'unknown', undefined],
    [sesError('TooManyRequestsException', 503), 'unknown', undefined],
    [sesError('TimeoutError', undefined as never, 'Request timed out'), 'unknown', undefined],
    [systemError('ECONNRESET'), 'unknown', undefined],
    [systemError('EPIPE'), 'unknown', undefined],
    [new SyntaxError('Unexpected end of JSON input'), 'unknown', undefined],
    [undefined, 'unknown', undefined],
  ])('%s', (error, outcome, remedy) => {
    expect(answerOf(error)).toMatchObject({ outcome, ...(remedy && { remedy }) });
  });

  it('never repeat an address', () => {
    const answer = answerOf(
      sesError(
        'MessageRejected',
        400,
        'Email address is not verified: Jane <jane.doe+x@example.com>, joe@example.org',
      ),
    );
    expect(answer.reason).toBe('MessageRejected: Email address is not verified: Jane <<address>>, <address>');
  });
});
