/**
 * The HTTP API: for programs that start runs, look at them, and keep the suppression list, without touching Redis. A router
 * on the operators' port, before their login, behind a wall of its own. It keeps nothing: what it promises after a crash,
 * Redis does, and every request may be repeated.
 */
import type { ApiKey } from '@sendonce/shared/runtime';
import { type Response, Router } from 'express';
import { answer, readBody } from './answer.js';
import { campaignOperations } from './campaignOperations.js';
import { docsPage } from './docsPage.js';
import { errorHandler } from './errorHandler.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { messageOperations } from './messageOperations.js';
import { openapi } from './openapi.js';
import { expressPath, type Operation } from './operation.js';
import { ProblemError } from './problems.js';
import { runOperations } from './runOperations.js';
import type { ApiConfig, ApiServices } from './services.js';
import { startOperation } from './startOperation.js';
import { suppressionOperations } from './suppressionOperations.js';
import { needsScope, wall } from './wall.js';

export const API_PATH = '/api/v1';

export function api(
  services: ApiServices,
  config: ApiConfig & { keys: readonly ApiKey[]; limits?: Limits },
): Router {
  const { logger } = services;
  const operations = allOperations(services, config);
  const router = Router();
  addDocument(router, operations);
  router.use((_, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  router.use(wall(config.keys, config.limits ?? DEFAULT_LIMITS, logger));
  for (const operation of operations) {
    const { method, url, scope, body } = operation;
    const handlers = [needsScope(scope), ...(body ? [readBody] : []), answer(operation)];
    router[method](expressPath(url), ...handlers);
  }
  refuseOtherMethods(router, operations);
  router.use((_request, _response, next) => next(new ProblemError('unknown-path')));
  router.use(errorHandler(logger, config.campaignsDir));
  return router;
}

export function allOperations(services: ApiServices, config: ApiConfig): Operation[] {
  return [
    ...campaignOperations(services, config),
    startOperation(services, config),
    ...runOperations(services),
    ...messageOperations(services),
    ...suppressionOperations(services),
  ];
}

/** Without a key: it is the same for every installation and holds no data, and tools and people read it before they have one. */
function addDocument(router: Router, operations: readonly Operation[]): void {
  const document = openapi(operations, API_PATH);
  const page = docsPage(document);
  router.get('/openapi.json', (_, response: Response) => void response.json(document));
  router.get('/docs', (_, response: Response) => void response.type('html').send(page));
}

function refuseOtherMethods(router: Router, operations: readonly Operation[]): void {
  for (const url of new Set(operations.map((operation) => operation.url))) {
    const methods = operations.filter((operation) => operation.url === url).map(({ method }) => method);
    const allow = methods.map((method) => method.toUpperCase()).join(', ');
    router.all(expressPath(url), (_request, _response, next) =>
      next(new ProblemError('wrong-method', { detail: `There is ${allow}.`, headers: { allow } })),
    );
  }
}
