/**
 * Unsubscribing by link. A GET shows a page and changes nothing, because scanners and previews follow links; a POST acts, at
 * once and without a login: from the page's buttons, or from a mail program's (RFC 8058). The token in the path is all that
 * it takes, so there are no cookies, and nothing another site could abuse. All of it may be repeated.
 */
import { maskAddress } from '@sendonce/shared/audience';
import { type Runs, UnknownRunError } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import {
  EVERYTHING,
  runOfClaim,
  type Suppression,
  type SuppressionList,
  UNSUBSCRIBE_PATH,
  type UnsubscribeClaim,
  type UnsubscribeLinks,
} from '@sendonce/shared/suppression';
import express, { type RequestHandler, Router } from 'express';
import { type PageAction, type Subscription, unknownLinkPage, unsubscribePage } from './unsubscribePage.js';

/** `List-Unsubscribe=One-Click` in a multipart wrapping, and room. */
const BODY_LIMIT = '4kb';

export interface UnsubscribeServices {
  clock: Clock;
  links: UnsubscribeLinks;
  logger: Logger;
  runs: Runs;
  suppressions: SuppressionList;
}

export function unsubscribe(services: UnsubscribeServices): Router {
  const { links } = services;
  const router = Router();
  const path = `${UNSUBSCRIBE_PATH}:token`;
  router.use(UNSUBSCRIBE_PATH, neverKept);
  router.get(path, async (request, response) => {
    const claim = links.read(request.params.token);
    if (!claim) return void response.status(404).type('html').send(unknownLinkPage());
    response.type('html').send(await pageFor(services, claim));
  });
  router.post(path, express.raw({ type: () => true, limit: BODY_LIMIT }), async (request, response) => {
    const claim = links.read(String(request.params.token));
    if (!claim) return void response.status(404).type('html').send(unknownLinkPage());
    const action = await actionOf(request.body, request.get('content-type'));
    if (!action)
      return void response
        .status(400)
        .type('html')
        .send(await pageFor(services, claim));
    await act(services, claim, action);
    response.type('html').send(await pageFor(services, claim, true));
  });
  return router;
}

/** Nobody keeps, indexes, or passes on the address of such a page. Helmet's `no-referrer` does the rest. */
const neverKept: RequestHandler = (_, response, next) => {
  response.set({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex, nofollow' });
  next();
};

/** Undefined: the body asks for nothing that we know. Both forms of RFC 8058, by the parser that Node brings. */
async function actionOf(body: unknown, contentType = ''): Promise<PageAction | undefined> {
  if (!Buffer.isBuffer(body)) return undefined;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => undefined);
  if (form?.get('List-Unsubscribe') === 'One-Click') return 'campaign';
  const action = form?.get('action');
  return action === 'campaign' || action === 'everything' || action === 'resubscribe' ? action : undefined;
}

async function act(
  { clock, logger, runs, suppressions }: UnsubscribeServices,
  claim: UnsubscribeClaim,
  action: PageAction,
): Promise<void> {
  const { address, campaign } = claim;
  const run = runOfClaim(claim);
  let change: 1 | -1 | 0 = 0;
  if (action === 'resubscribe') {
    for (const scope of [campaign, EVERYTHING])
      if (await suppressions.remove(address, scope, 'unsubscribe')) change = -1;
  } else {
    const isKnown = (await suppressions.find(address)).some(({ reason }) => reason === 'unsubscribe');
    const scope = action === 'everything' ? EVERYTHING : campaign;
    const since = new Date(clock.now());
    await suppressions.add({ address, scope, reason: 'unsubscribe', since, ...(run && { run }) });
    if (!isKnown) change = 1;
  }
  if (run && change !== 0) await runs.countUnsubscribed(run, change);
  logger.info({ campaign, run, action }, 'a recipient changed a subscription');
}

async function pageFor(
  services: UnsubscribeServices,
  claim: UnsubscribeClaim,
  isChanged = false,
): Promise<string> {
  const entries = await services.suppressions.find(claim.address);
  return unsubscribePage(
    {
      state: stateOf(entries, claim.campaign),
      campaignName: await nameOf(services.runs, claim),
      maskedAddress: maskAddress(claim.address),
    },
    isChanged,
  );
}

function stateOf(entries: readonly Suppression[], campaign: string): Subscription {
  const relevant = entries.filter(({ scope }) => scope === EVERYTHING || scope === campaign);
  if (relevant.length === 0) return 'subscribed';
  if (relevant.some(({ reason }) => reason !== 'unsubscribe')) return 'blocked';
  return relevant.some(({ scope }) => scope === EVERYTHING) ? 'unsubscribed-from-everything' : 'unsubscribed';
}

/** As it was when the mail went out; its id, when the run is forgotten. */
async function nameOf(runs: Runs, claim: UnsubscribeClaim): Promise<string> {
  const run = runOfClaim(claim);
  if (!run) return claim.campaign;
  try {
    return (await runs.snapshot(run)).definition.name ?? claim.campaign;
  } catch (error) {
    if (error instanceof UnknownRunError) return claim.campaign;
    throw error;
  }
}
