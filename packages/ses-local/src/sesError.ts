/** An error as SES v2 answers it: an HTTP status, a type that the SDK makes an error class of, a message. */
export class SesError extends Error {
  override readonly name = 'SesError';
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}
