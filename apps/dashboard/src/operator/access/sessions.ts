/**
 * Sessions: a signed cookie that holds who somebody is, since when, and the fingerprint of their entry in the settings. The
 * key of the cookies is made once and lies in Redis, so that several dashboards share it and a restart logs nobody out. Redis
 * also remembers who has logged out: a cookie that somebody has copied is worth nothing afterwards.
 */
import { randomBytes } from 'node:crypto';
import type { Role } from '@sendonce/shared/access';
import type { Clock, RedisConnection } from '@sendonce/shared/runtime';
import cookieSession from 'cookie-session';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { fingerprint, type KnownPerson } from './people.js';

const SESSION_MS = 12 * 3_600_000;

/** How somebody proved who they are. */
export type LoginWay = 'password' | 'oidc';

/** Whoever looks at a page. */
export interface Viewer {
  name: string;
  role: Role;
  /** For every form of ours, as `csrf`. */
  csrf: string;
}

/** The entry in the settings that a session has come from, as it is now; undefined: there is none any more. */
export type FindPerson = (
  way: LoginWay,
  name: string,
  role: Role,
) => { role: Role; fingerprint: string } | undefined;

const Session = z.object({
  id: z.string(),
  way: z.enum(['password', 'oidc']),
  name: z.string(),
  role: z.enum(['viewer', 'operator']),
  fingerprint: z.string(),
  at: z.number(),
});

export async function readSessionKey(redis: RedisConnection, prefix: string): Promise<string> {
  const key = `${prefix}:1:session-key`;
  await redis.set(key, randomBytes(32).toString('base64url'), 'NX');
  const stored = await redis.get(key);
  if (!stored) throw new Error(`Redis did not keep the session key ${key}.`);
  return stored;
}

/** Over https the cookie is `Secure` by itself: the library looks at the request's protocol. */
export function sessionCookie(sessionKey: string): RequestHandler {
  return cookieSession({
    name: 'sendonce',
    keys: [sessionKey],
    maxAge: SESSION_MS,
    httpOnly: true,
    sameSite: 'strict',
    overwrite: true,
  });
}

export interface SessionsServices {
  clock: Clock;
  redis: RedisConnection;
  prefix: string;
}

export class Sessions {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #find: FindPerson;

  constructor({ clock, redis, prefix }: SessionsServices, sessionKey: string, find: FindPerson) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#key = sessionKey;
    this.#find = find;
  }

  start(request: Request, way: LoginWay, { name, role, fingerprint }: KnownPerson): void {
    const id = randomBytes(16).toString('base64url');
    const session: z.infer<typeof Session> = { id, way, name, role, fingerprint, at: this.#clock.now() };
    request.session = session;
  }

  /** Undefined: nobody is logged in, or not any more. The cookie's own age is only kept by browsers that want to. */
  async read(request: Request): Promise<Viewer | undefined> {
    const parsed = Session.safeParse({ ...request.session });
    if (!parsed.success) return undefined;
    const { id, way, name, role, at, fingerprint: known } = parsed.data;
    const person = this.#find(way, name, role);
    if (person?.role !== role || person.fingerprint !== known) return undefined;
    if (Math.abs(this.#clock.now() - at) > SESSION_MS) return undefined;
    if (await this.#redis.exists(this.#endedKey(id))) return undefined;
    return { name, role, csrf: fingerprint(this.#key, ['csrf', id]) };
  }

  async end(request: Request): Promise<void> {
    const parsed = Session.safeParse({ ...request.session });
    request.session = null;
    if (parsed.success) await this.#redis.set(this.#endedKey(parsed.data.id), '', 'PX', SESSION_MS);
  }

  #endedKey(id: string): string {
    return `${this.#prefix}:1:session-ended:${id}`;
  }
}

/** Whoever is logged in, behind the wall. */
export function viewerOf(response: Response): Viewer {
  const { viewer } = response.locals as { viewer?: Viewer };
  if (!viewer) throw new Error('There is no session: this route is not behind the login.');
  return viewer;
}
