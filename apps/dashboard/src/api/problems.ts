/** What can be wrong with a request, one table: the type, its status and title, as RFC 9457 has them. */

export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request is not understood.' },
  'no-key': { status: 401, title: 'A key is needed.' },
  'missing-scope': { status: 403, title: 'The key may not do this.' },
  'unknown-path': { status: 404, title: 'There is nothing here.' },
  'unknown-campaign': { status: 404, title: 'There is no such campaign.' },
  'unknown-template': { status: 404, title: 'There is no such template of single messages.' },
  'unknown-message': { status: 404, title: 'No message was accepted under this key.' },
  'unknown-run': { status: 404, title: 'There is no such run.' },
  'unknown-suppression': { status: 404, title: 'The address is not on the list.' },
  'wrong-method': { status: 405, title: 'This can not be done here.' },
  'wrong-state': { status: 409, title: 'The run is not in a state for this.' },
  'other-message': { status: 409, title: 'The idempotency key stands for another message.' },
  'forgotten-message': { status: 410, title: 'The message of this key is not known any more.' },
  'forgotten-run': { status: 410, title: 'The run of this key is not known any more.' },
  'body-too-large': { status: 413, title: 'The body is too large.' },
  'wrong-media-type': { status: 415, title: 'The body has to be JSON.' },
  'invalid-campaign': { status: 422, title: "The campaign's files are wrong." },
  'message-template': { status: 422, title: 'A template of single messages is not run.' },
  'unfit-message': { status: 422, title: 'The message does not fit its template.' },
  'invalid-time': { status: 422, title: 'No run can be started for this time.' },
  'key-reused': { status: 422, title: 'The idempotency key stands for another request.' },
  'too-many-requests': { status: 429, title: 'That is too often.' },
  busy: { status: 503, title: 'It was not taken in for now.' },
  unavailable: { status: 503, title: 'Redis or this server has a problem.' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemName = keyof typeof PROBLEMS;

export interface ProblemDetails {
  /** For people, about this request; without addresses, since clients log it. */
  detail?: string;
  /** Further members of the document. */
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly problem: ProblemName,
    readonly details: ProblemDetails = {},
  ) {
    super(details.detail ?? PROBLEMS[problem].title);
  }
}

/** @param base where the API is; the type leads to its page. */
export function problemDocument(
  { problem, details: { detail, members } }: ProblemError,
  base: string,
): Record<string, unknown> {
  const { status, title } = PROBLEMS[problem];
  return { type: `${base}/docs#${problem}`, title, status, ...(detail && { detail }), ...members };
}
