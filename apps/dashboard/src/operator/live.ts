/**
 * Pages that stay up to date: the same address answers a browser with the page, and its script with a stream of server-sent
 * events, in which the page comes again whenever it has changed. The script replaces the parts that differ. Without a
 * script the page is read as it was. https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { viewerOf } from './access/sessions.js';
import { layout, type View } from './layout.js';

const EVERY_MS = 1_000;
/** Proxies close what is silent. */
const HEARTBEAT_MS = 15_000;
/** A browser comes back after it, and its login is looked at again. */
const STREAM_MS = 5 * 60_000;
/** Open tabs of all operators together; more get the page as it is. */
const MAX_STREAMS = 200;

let streams = 0;

/** @param render undefined: there is no such thing. */
export function livePage(
  render: (request: Request, response: Response) => Promise<View | undefined>,
): RequestHandler {
  return async (request, response, next) => {
    const viewer = viewerOf(response);
    const draw = async (): Promise<string | undefined> => {
      const view = await render(request, response);
      return view && layout({ ...view, isLive: true }, viewer);
    };
    const page = await draw();
    if (page === undefined) return next();
    response.set({ 'cache-control': 'no-store', vary: 'accept' });
    if (request.accepts(['html', 'text/event-stream']) !== 'text/event-stream')
      return void response.type('html').send(page);
    if (streams >= MAX_STREAMS) return void response.sendStatus(503);
    streams += 1;
    await stream(response, page, draw).finally(() => {
      streams -= 1;
    });
  };
}

async function stream(
  response: Response,
  first: string,
  draw: () => Promise<string | undefined>,
): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  response.set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  const endsAt = Date.now() + STREAM_MS;
  let shown = '';
  let wroteAt = 0;
  const write = (text: string): void => {
    response.write(text);
    wroteAt = Date.now();
  };
  for (let page: string | undefined = first; !closed.signal.aborted && Date.now() < endsAt; ) {
    if (page === undefined) break;
    if (page !== shown) write(`event: page\ndata: ${JSON.stringify(page)}\n\n`);
    else if (Date.now() - wroteAt > HEARTBEAT_MS) write(': still here\n\n');
    shown = page;
    await sleep(EVERY_MS, undefined, { signal: closed.signal }).catch(() => undefined);
    // Redis may be away for a moment: the page says so, and is told again when it is back.
    page =
      (await draw().catch(() => {
        if (shown) write('event: trouble\ndata: 1\n\n');
        return '';
      })) || shown;
  }
  response.end();
}
