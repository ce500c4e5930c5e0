/**
 * A small OpenID provider over real HTTP: discovery, authorization code with PKCE, RS256 signatures, userinfo. Everybody who
 * comes is logged in as whom the test says. `lie` makes one thing wrong, for a client that has to notice.
 */
import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const CLIENT = { clientId: 'sendonce', clientSecret: 'client secret' };

export type Lie = 'nonce' | 'signature' | 'audience' | 'issuer' | 'expired' | 'unsigned';

interface Grant {
  nonce: string;
  challenge: string;
  redirectUri: string;
}

export class OidcProvider {
  /** The claims of whoever logs in next. */
  person: Record<string, unknown> = { sub: 'sub-1' };
  lie: Lie | undefined;
  /** Claims that only userinfo tells. */
  more: Record<string, unknown> = {};
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #others = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #grants = new Map<string, Grant>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<OidcProvider> {
    const provider = new OidcProvider();
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close().closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer);
    const send = (status: number, body: unknown, headers = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return void send(200, this.#metadata());
      case '/jwks':
        return void send(200, {
          keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }],
        });
      case '/authorize':
        return void send(303, {}, { location: this.#authorize(url.searchParams).href });
      case '/token': {
        const tokens = this.#redeem(new URLSearchParams(await text(request)), request.headers.authorization);
        return void send(tokens ? 200 : 400, tokens ?? { error: 'invalid_grant' });
      }
      case '/userinfo':
        return void send(200, { sub: this.person.sub, ...this.more });
      default:
        return void send(404, {});
    }
  }

  #metadata() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    };
  }

  #authorize(query: URLSearchParams): URL {
    const code = randomUUID();
    const redirectUri = query.get('redirect_uri') ?? '';
    const [nonce, challenge] = [query.get('nonce') ?? '', query.get('code_challenge') ?? ''];
    this.#grants.set(code, { nonce, challenge, redirectUri });
    const back = new URL(redirectUri);
    back.search = new URLSearchParams({ code, state: query.get('state') ?? '' }).toString();
    return back;
  }

  /** A code is good once, for its client, with the verifier of its challenge. */
  #redeem(form: URLSearchParams, authorization = '') {
    const code = form.get('code') ?? '';
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const { clientId, clientSecret } = CLIENT;
    const basic = Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString('base64');
    const isClient = form.get('client_secret') === clientSecret || authorization === `Basic ${basic}`;
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (
      !grant ||
      !isClient ||
      challenge !== grant.challenge ||
      form.get('redirect_uri') !== grant.redirectUri
    )
      return undefined;
    return {
      access_token: randomUUID(),
      token_type: 'bearer',
      expires_in: 60,
      id_token: this.#idToken(grant),
    };
  }

  #idToken({ nonce }: Grant): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: this.lie === 'issuer' ? 'https://evil.example' : this.issuer,
      aud: this.lie === 'audience' ? 'another client' : CLIENT.clientId,
      iat: now - (this.lie === 'expired' ? 7_200 : 0),
      exp: now + (this.lie === 'expired' ? -3_600 : 300),
      nonce: this.lie === 'nonce' ? 'another nonce' : nonce,
      ...this.person,
    };
    const header = { alg: this.lie === 'unsigned' ? 'none' : 'RS256', kid: '1' };
    const body = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    if (this.lie === 'unsigned') return `${body}.`;
    const { privateKey } = this.lie === 'signature' ? this.#others : this.#keys;
    return `${body}.${createSign('RSA-SHA256').update(body).sign(privateKey, 'base64url')}`;
  }
}
