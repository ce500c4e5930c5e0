/** Amazon SES: the client with its fence, what its answers mean, the request of a mail, the shared rate. */
export { type AccountState, leftOf, readKnownAccount, SesAccount } from './account.js';
export { answerOf, type Remedy, type SesAnswer } from './answers.js';
export { SesClient, type SesConfig } from './client.js';
export { assertClocksAgree, readClockSkew, readRedisSkewMs } from './clocks.js';
export { type MailContent, type MailPosition, makeSendEmailInput, sendonceId, TAGS } from './mail.js';
export type { MailSender } from './mailSender.js';
export { type RateKind, type Reservation, SendRate } from './rate.js';
