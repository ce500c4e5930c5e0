/**
 * Logging in at an identity provider: authorization code with PKCE, state and nonce. The ID token's signature is checked
 * although it comes straight from the provider (which OIDC would let us trust), and its claims only afterwards.
 */
import { type OidcIdentity, type Role, roleOf } from '@sendonce/shared/access';
import type { OidcSettings } from '@sendonce/shared/runtime';
import * as client from 'openid-client';
import { z } from 'zod';
import { fingerprint, type KnownPerson } from './people.js';

export const CALLBACK_PATH = '/login/oidc/callback';
const TIMEOUT_SECONDS = 10;

/** What has to come back unchanged, or stays here, between the two requests of a login. */
export const OidcAttempt = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  to: z.string(),
});
export type OidcAttempt = z.infer<typeof OidcAttempt>;

const Claims = z.looseObject({
  sub: z.string(),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
});

export class OidcLogin {
  readonly #settings: OidcSettings;
  readonly #callbackUrl: URL;
  readonly #sessionKey: string;
  #provider: Promise<client.Configuration> | undefined;

  constructor(settings: OidcSettings, dashboardUrl: string, sessionKey: string) {
    this.#settings = settings;
    this.#callbackUrl = new URL(CALLBACK_PATH, dashboardUrl);
    this.#sessionKey = sessionKey;
  }

  /** Where to send the browser. @throws when the provider can't be reached. */
  async begin(to: string): Promise<{ url: URL; attempt: OidcAttempt }> {
    const provider = await this.#discover();
    const [state, nonce, codeVerifier] = [
      client.randomState(),
      client.randomNonce(),
      client.randomPKCECodeVerifier(),
    ];
    const url = client.buildAuthorizationUrl(provider, {
      redirect_uri: this.#callbackUrl.href,
      scope: 'openid email profile',
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    });
    return { url, attempt: { state, nonce, codeVerifier, to } };
  }

  /**
   * Who came back. Without a role: the provider knows them, and we do not.
   * @param query as the browser brought it. @throws when any of it is not as it has to be.
   */
  async finish(query: string, attempt: OidcAttempt): Promise<{ name: string; person?: KnownPerson }> {
    const provider = await this.#discover();
    const url = new URL(this.#callbackUrl);
    url.search = query;
    const tokens = await client.authorizationCodeGrant(provider, url, {
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      pkceCodeVerifier: attempt.codeVerifier,
      idTokenExpected: true,
    });
    const fromToken = Claims.parse(tokens.claims());
    // Many providers put address and groups only here.
    const hasMore = provider.serverMetadata().userinfo_endpoint !== undefined;
    const more = hasMore ? await client.fetchUserInfo(provider, tokens.access_token, fromToken.sub) : {};
    const claims = Claims.parse({ ...more, ...fromToken });
    const identity = toIdentity(claims, this.#settings.groupsClaim);
    const role = roleOf(identity, this.#settings);
    const name = identity.email ?? claims.sub;
    const person = role && this.person(name, role);
    return { name, ...(person && { person }) };
  }

  /** Whoever may log in, and as what, is one answer of all settings: when they change, everybody logs in again. */
  person(name: string, role: Role): KnownPerson {
    const { issuer, clientId, groupsClaim, operators, viewers } = this.#settings;
    const parts = ['oidc', issuer, clientId, groupsClaim, ...operators, 'viewers', ...viewers, name, role];
    return { name, role, fingerprint: fingerprint(this.#sessionKey, parts) };
  }

  /** At the first login, so that the dashboard starts while the provider is down; an error is not kept. */
  #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const isPlain = issuer.startsWith('http://');
    this.#provider ??= client
      .discovery(new URL(issuer), clientId, clientSecret, undefined, {
        timeout: TIMEOUT_SECONDS,
        execute: [client.enableNonRepudiationChecks, ...(isPlain ? [client.allowInsecureRequests] : [])],
      })
      .catch((error: unknown) => {
        this.#provider = undefined;
        throw error;
      });
    return this.#provider;
  }
}

/** An address that the provider does not call verified is anybody's claim. */
function toIdentity(claims: z.infer<typeof Claims>, groupsClaim: string): OidcIdentity {
  const groups = z.array(z.string()).safeParse(claims[groupsClaim]).data ?? [];
  const isVerified = claims.email !== undefined && claims.email_verified === true;
  return { groups, ...(isVerified && { email: claims.email?.toLowerCase() as string }) };
}
