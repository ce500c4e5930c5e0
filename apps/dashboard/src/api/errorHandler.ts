/**
 * Turns whatever was thrown into a problem document. The log gets the operation's name and never the path: it may hold an
 * address.
 */
import { relative } from 'node:path';
import {
  CampaignFileError,
  type CampaignProblem,
  NotRunnableError,
  UnknownCampaignError,
} from '@sendonce/shared/campaign';
import { CrowdedCampaignError, ForgottenRequestError, RequestMismatchError } from '@sendonce/shared/control';
import { UnknownRunError } from '@sendonce/shared/run';
import type { Logger } from '@sendonce/shared/runtime';
import {
  BusyError,
  ForgottenMessageError,
  MessageMismatchError,
  UnfitMessageError,
  UnknownTemplateError,
} from '@sendonce/shared/singleMessages';
import type { ErrorRequestHandler } from 'express';
import { failedRequest } from '../failedRequest.js';
import { PROBLEMS, ProblemError, problemDocument } from './problems.js';

/** @param campaignsDir paths in answers begin there: where else the files are is nobody's business. */
export function errorHandler(logger: Logger, campaignsDir: string): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = problemOf(error, campaignsDir);
    const { operation, client } = response.locals;
    if (problem.problem === 'unavailable')
      logger.error(
        {
          operation,
          client,
          ...failedRequest(request, response, {
            status: 503,
            path: String(operation ?? request.baseUrl),
            error,
          }),
        },
        'API request failed',
      );
    if (response.headersSent) return void response.socket?.destroy();
    response
      .status(PROBLEMS[problem.problem].status)
      .set(problem.details.headers ?? {})
      .type('application/problem+json')
      .send(JSON.stringify(problemDocument(problem, request.baseUrl)));
  };
}

function problemOf(error: unknown, campaignsDir: string): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof UnknownRunError) return new ProblemError('unknown-run');
  if (error instanceof UnknownCampaignError) return new ProblemError('unknown-campaign');
  if (error instanceof CampaignFileError) return invalidCampaign(error.problems, campaignsDir);
  if (error instanceof NotRunnableError)
    return new ProblemError('message-template', { detail: error.message });
  if (error instanceof RequestMismatchError) return new ProblemError('key-reused', { detail: error.message });
  if (error instanceof ForgottenRequestError)
    return new ProblemError('forgotten-run', { detail: 'Take a new key to start another run.' });
  if (error instanceof CrowdedCampaignError)
    return new ProblemError('too-many-requests', { detail: error.message, headers: { 'retry-after': '60' } });
  return ofMessage(error) ?? ofExpress(error);
}

function ofMessage(error: unknown): ProblemError | undefined {
  if (error instanceof UnknownTemplateError)
    return new ProblemError('unknown-template', { detail: error.message });
  if (error instanceof UnfitMessageError)
    return new ProblemError('unfit-message', {
      members: { errors: error.findings.map(({ pointer, detail }) => ({ detail, pointer: `#${pointer}` })) },
    });
  if (error instanceof MessageMismatchError)
    return new ProblemError('other-message', { detail: error.message });
  if (error instanceof ForgottenMessageError) return new ProblemError('forgotten-message');
  if (error instanceof BusyError)
    return new ProblemError('busy', { detail: error.message, headers: { 'retry-after': '1' } });
  return undefined;
}

/** Express and its parsers say what is wrong by a status; their words may repeat what was sent. */
function ofExpress(error: unknown): ProblemError {
  switch ((error as { status?: number } | undefined)?.status) {
    case 400:
      return new ProblemError('malformed-request', { detail: 'The path or the JSON of the body is broken.' });
    case 413:
      return new ProblemError('body-too-large');
    case 415:
      return new ProblemError('wrong-media-type', { detail: 'Expected UTF-8, not compressed.' });
    default:
      return new ProblemError('unavailable', { detail: 'Try again later; the same request does no harm.' });
  }
}

function invalidCampaign(problems: CampaignProblem[], campaignsDir: string): ProblemError {
  return new ProblemError('invalid-campaign', {
    detail: `${problems.length === 1 ? 'One problem' : `${problems.length} problems`}; nothing was started.`,
    members: { problems: problems.map((problem) => problemJson(problem, campaignsDir)) },
  });
}

export function problemJson(
  { campaign, file, line, column, message, expected }: CampaignProblem,
  campaignsDir: string,
) {
  const place = { ...(line !== undefined && { line }), ...(column !== undefined && { column }) };
  return { campaign, file: relative(campaignsDir, file), ...place, message, ...(expected && { expected }) };
}
