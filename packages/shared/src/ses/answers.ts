/**
 * What SES's answers mean. One table from error to outcome; what is in no table is unknown, because only a known refusal
 * proves that no mail went out.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
 */
import { scrubAddresses } from '@sendonce/alerts';

/** What the answer says about the account or the run, beside the one recipient. */
export type Remedy =
  /** Only this recipient is concerned. */
  | 'none'
  /** Too fast: a little slower from here on. */
  | 'slow'
  /** SES can't be reached: nobody else is tried for a moment. */
  | 'wait'
  /** The day's quota is used up. */
  | 'quota'
  /** Nothing can be sent until somebody mends it: the run pauses. */
  | 'pause';

export type SesAnswer =
  | { outcome: 'accepted'; messageId: string }
  /** Certainly not sent, and it will not be. */
  | { outcome: 'rejected'; reason: string }
  /** Certainly not sent; may be tried again. */
  | { outcome: 'released'; reason: string; remedy: Remedy }
  /** Nobody knows. */
  | { outcome: 'unknown'; reason: string };

const slow = { outcome: 'released', remedy: 'slow' } as const;
const wait = { outcome: 'released', remedy: 'wait' } as const;
const quota = { outcome: 'released', remedy: 'quota' } as const;
const pause = { outcome: 'released', remedy: 'pause' } as const;
const again = { outcome: 'released', remedy: 'none' } as const;
const rejected = { outcome: 'rejected' } as const;

/** By the error's name, as SES v2 and the SDK spell it. */
const BY_NAME: Record<string, { outcome: 'released'; remedy: Remedy } | { outcome: 'rejected' }> = {
  TooManyRequestsException: slow,
  ThrottlingException: slow,
  Throttling: slow,
  LimitExceededException: pause,
  SendingPausedException: pause,
  AccountSuspendedException: pause,
  MailFromDomainNotVerifiedException: pause,
  NotFoundException: pause,
  // The signature carries the claim's time: too old means that the worker was frozen after the claim.
  SignatureDoesNotMatch: pause,
  InvalidSignatureException: pause,
  RequestExpired: again,
  // The credentials are at fault, the request was not looked at.
  AccessDeniedException: pause,
  AccessDenied: pause,
  UnrecognizedClientException: pause,
  InvalidClientTokenId: pause,
  ExpiredTokenException: pause,
  ExpiredToken: pause,
  CredentialsProviderError: pause,
  TokenProviderError: pause,
  MessageRejected: rejected,
  BadRequestException: rejected,
  ValidationException: rejected,
};

/** The request never left: no connection, no name, no TLS. */
const NEVER_REACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // undici's
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

interface ErrorLike {
  name?: string;
  message?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** The answer that an error of the client stands for. */
export function answerOf(error: unknown): Exclude<SesAnswer, { outcome: 'accepted' }> {
  const { name = 'Error', message = '', code, $metadata } = (error ?? {}) as ErrorLike;
  const reason = scrubAddresses(`${name}: ${message}`);
  const status = $metadata?.httpStatusCode;
  if (/^Signature expired/.test(message)) return { ...again, reason };
  // SES reports the used-up daily quota as a throttling error; only its text tells.
  if (/daily message quota exceeded/i.test(message)) return { ...quota, reason };
  const known = BY_NAME[name];
  if (known && (status === undefined || status < 500)) return { ...known, reason };
  if (code && NEVER_REACHED.has(code)) return { ...wait, reason: `${code}: SES can't be reached` };
  // Before the tunnel stands nothing has been sent through it.
  if (/^Proxy response \(\d+\)/.test(message)) return { ...wait, reason: `${name}: ${message}` };
  if (status === 429) return { ...slow, reason };
  if (status === 401 || status === 403 || status === 404) return { ...pause, reason };
  if (status !== undefined && status >= 400 && status < 500) return { ...rejected, reason };
  return { outcome: 'unknown', reason };
}
