/**
 * The page of a campaign's prefix, for sites that pass it on to us: `GET /daily/?/updates/haml/` is a redirect to that path of
 * the site with the campaign's UTM parameters. `POST /daily/` is how the static page tells of a visit.
 *
 * The visitor does not wait for the counting: the answer goes out beside it, from what is in memory, also while Redis is
 * away. Where it leads is followLink's to decide, and never another site than those of the campaign.
 */
import {
  type Clicks,
  type FollowedLink,
  followLink,
  type LinkPage,
  type LinkPages,
  type LinkTokens,
} from '@sendonce/shared/links';
import { runIdOf } from '@sendonce/shared/run';
import type { Logger } from '@sendonce/shared/runtime';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { LinkMetrics } from './linkMetrics.js';
import { publicPage } from './publicPage.js';
import { isScanner, visitorOf } from './visitor.js';

/** A link is shorter; so is what servers take of one. */
const LINK_LIMIT = 8_192;
/** Clicks that are being counted. More of them than that mean a Redis that hangs, and are dropped. */
const MAX_PENDING = 10_000;

export interface LinkRedirectServices {
  clicks: Clicks;
  linkPages: LinkPages;
  linkTokens: LinkTokens;
  logger: Logger;
  metrics: LinkMetrics;
  /** Visitors are told apart with it. */
  visitorSecret: string;
}

/** @param secure sets the headers of a page; a redirect needs none of them, and is quicker without. */
export function linkRedirect(services: LinkRedirectServices, secure: RequestHandler): Router {
  const { linkPages, metrics } = services;
  const counter = new ClickCounter(services);
  const router = Router();
  router.use(async (request, response, next) => {
    // Prefixes end with a slash, and nothing else here does: events and tokens ask nobody.
    const page = request.path.endsWith('/') ? await linkPages.find(request.path) : undefined;
    if (!page) return next();
    response.set({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex, nofollow' });
    if (request.method === 'POST') return takeReport(page, counter, metrics)(request, response, next);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void response.set('allow', 'GET, HEAD, POST').sendStatus(405);
    const followed = followRequest(page, searchOf(request), originOf(page, request));
    metrics.visit(followed ? 'redirect' : 'dead_end');
    if (followed) redirect(page, followed, counter, request, response);
    else secure(request, response, () => sendDeadEnd(page, response));
  });
  return router;
}

function sendDeadEnd({ origins }: LinkPage, response: Response): void {
  const body = `<p>Begin at the <a href="${origins[0] ?? ''}/">start page</a>.</p>`;
  response.status(400).type('html').send(publicPage('This link leads nowhere', body));
}

function redirect(
  page: LinkPage,
  followed: FollowedLink,
  counter: ClickCounter,
  request: Request,
  response: Response,
): void {
  // As it is: Express's own redirect would encode it anew.
  response.status(302).setHeader('location', followed.href);
  response.end();
  counter.count(page, followed, request);
}

/**
 * A page at one of the campaign's sites says which link was followed. `sendBeacon` reads no answer; what comes from other
 * sites' pages is not counted.
 */
function takeReport(page: LinkPage, counter: ClickCounter, metrics: LinkMetrics): RequestHandler {
  const parse = express.text({ type: () => true, limit: LINK_LIMIT });
  return (request, response, next) =>
    parse(request, response, (error) => {
      if (error) return next(error);
      const origin = request.get('origin') ?? '';
      if (!page.origins.includes(origin)) return void response.status(403).json({ error: 'Not from here.' });
      const followed = followRequest(page, String(request.body ?? ''), origin);
      if (!followed) return void response.status(400).json({ error: 'This is no link of the page.' });
      metrics.visit('page');
      response.sendStatus(204);
      counter.count(page, followed, request);
    });
}

function followRequest({ prefix, utm }: LinkPage, search: string, origin: string): FollowedLink | undefined {
  return search.length > LINK_LIMIT ? undefined : followLink(search, origin, prefix, utm);
}

function searchOf({ originalUrl }: Request): string {
  const start = originalUrl.indexOf('?');
  return start < 0 ? '' : originalUrl.slice(start);
}

/** The site that the visitor came to, if it is one of the campaign's. */
function originOf({ origins }: LinkPage, request: Request): string {
  // Missing in HTTP/1.0.
  const host = request.host?.toLowerCase();
  return origins.find((origin) => new URL(origin).host === host) ?? origins[0] ?? '';
}

class ClickCounter {
  readonly #services: LinkRedirectServices;
  #pending = 0;
  #lost = 0;

  constructor(services: LinkRedirectServices) {
    this.#services = services;
  }

  count({ campaign }: LinkPage, { link, token }: FollowedLink, request: Request): void {
    const { clicks, linkTokens, visitorSecret } = this.#services;
    if (this.#pending >= MAX_PENDING) {
      this.#lose('Redis does not answer');
      return;
    }
    const origin = token ? linkTokens.read(campaign, token) : undefined;
    // A recipient is the same person on a phone and at a desk.
    const person = origin
      ? `${origin.chunk}.${origin.position}`
      : visitorOf(request, campaign, visitorSecret);
    this.#pending += 1;
    clicks
      .count({
        campaign,
        link,
        visitor: isScanner(request) ? undefined : person,
        run: origin && runIdOf(campaign, origin.scheduledAt),
      })
      .then(
        () => this.#recover(),
        (error: Error) => this.#lose(error.message),
      )
      .finally(() => {
        this.#pending -= 1;
      });
  }

  /** Told when it begins and when it is over, not for every click. */
  #lose(reason: string): void {
    if (this.#lost === 0) this.#services.logger.warn({ reason }, 'clicks are not counted');
    this.#lost += 1;
    this.#services.metrics.click('lost');
  }

  #recover(): void {
    this.#services.metrics.click('counted');
    if (this.#lost > 0) this.#services.logger.info({ lost: this.#lost }, 'clicks are counted again');
    this.#lost = 0;
  }
}
