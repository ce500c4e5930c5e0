import { createHash, createHmac, type Hash, type Hmac, hash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '@smithy/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestSigner, type SignedHeaders } from './signature.js';

const asObject = (headers: SignedHeaders): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: headers.length / 2 }, (_, at) => [headers[at * 2], headers[at * 2 + 1]]),
  );

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-test-suite.html: those that are POSTs with a body. */
describe('the vectors that AWS has published', () => {
  const credentials = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  };
  it.each([
    [
      'post-x-www-form-urlencoded',
      'application/x-www-form-urlencoded',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
    [
      'post-x-www-form-urlencoded-parameters',
      'application/x-www-form-urlencoded; charset=utf8',
      '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
    ],
  ])('%s', (_, contentType, signature) => {
    const signer = new RequestSigner({
      host: 'example.amazonaws.com',
      path: '/',
      contentType,
      region: 'us-east-1',
      service: 'service',
    });
    const headers = signer.sign(
      hash('sha256', 'Param1=value1', 'hex'),
      Date.UTC(2015, 7, 30, 12, 36),
      credentials,
    );
    expect(asObject(headers).authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
    );
  });
});

class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

describe("the SDK's own signer", () => {
  it('makes the same signature, byte for byte, of any request', async () => {
    const request = fc.record({
      body: fc.string({ unit: 'grapheme', maxLength: 300 }),
      at: fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) }),
      path: fc.constantFrom('/v2/email/outbound-emails', '/a base/v2/email', "/%41!'()*/~x", '/'),
      host: fc.constantFrom('email.eu-central-1.amazonaws.com', '127.0.0.1:8025'),
      region: fc.constantFrom('us-east-1', 'eu-central-1', 'us-gov-west-1'),
      sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{20,400}$/), { nil: undefined }),
      secretAccessKey: fc.stringMatching(/^[A-Za-z0-9+/]{40}$/),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ body, at, path, host, region, sessionToken, secretAccessKey }) => {
        const credentials = {
          accessKeyId: 'AKIDEXAMPLE',
          secretAccessKey,
          ...(sessionToken && { sessionToken }),
        };
        const contentType = 'application/json';
        const ours = new RequestSigner({ host, path, contentType, region, service: 'ses' });
        const sdk = new SignatureV4({
          credentials,
          region,
          service: 'ses',
          sha256: Sha256 as never,
          applyChecksum: false,
        });
        const unsigned: HttpRequest = {
          method: 'POST',
          protocol: 'https:',
          hostname: host,
          path,
          query: {},
          headers: { 'content-type': contentType, host },
          body,
        };
        const { headers } = await sdk.sign(unsigned, { signingDate: new Date(at) });
        // Twice, because the second one comes with the key and the date of the first.
        for (let time = 0; time < 2; time++)
          expect(asObject(ours.sign(hash('sha256', body, 'hex'), at, credentials))).toEqual(headers);
      }),
      { numRuns: 2_000 },
    );
  });
});
