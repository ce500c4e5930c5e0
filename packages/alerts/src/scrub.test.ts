import { describe, expect, it } from 'vitest';
import { makeScrubber } from './scrub.js';

const SECRET = 'Zx8-planted/secret';
const { text, value } = makeScrubber({
  LINK_SECRET: SECRET,
  REDIS_URL: 'redis://default:pa55word@redis:6379',
  HOME: '/home/somebody',
  DASHBOARD_PASSWORD: 'ab',
});

describe('a text is rid of', () => {
  it.each([
    ['the value of a secret variable', `it was ${SECRET}!`],
    ['the same in a URL', `https://example.com/?k=${encodeURIComponent(SECRET)}`],
    ['the password of a URL of the environment', 'wrong: pa55word'],
    ['credentials in any URL', 'GET https://me:Zx8-planted@example.com/x'],
    ['a field of JSON', '{"apiToken": "Zx8-planted", "x": 1}'],
    ['a field of a query', 'https://example.com/?access_token=Zx8-planted&x=1'],
    ['an assignment', "password='Zx8-planted'"],
    ['a header', 'Authorization: Bearer Zx8-planted'],
    ['a key id of AWS', 'AKIAZX8PLANTED123456'],
    ['a web token', 'eyJhbGciOi.eyJzdWIiOi.Zx8-planted'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nZx8-planted\n-----END RSA PRIVATE KEY-----'],
    ['a signature of AWS', 'AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=Zx8-planted'],
    ['an address', 'no mailbox Zx8-planted@example.com here'],
    ['an address in a URL', 'https://example.com/u?to=Zx8-planted%40example.com'],
    ['an address with a name', 'to "Jane" <Zx8-planted@example.com>'],
    ['an address in a stack', 'Error\n    at send (/app/Zx8-planted@example.com.js:1:1)'],
  ])('%s', (_, said) => {
    expect(text(said)).not.toMatch(/Zx8|ZX8|pa55/);
  });

  it('nothing else', () => {
    const said = 'run news--20261124T100000Z of /home/somebody: 3 of 5 (ab) at send (/app/dist/send.js:12:3)';
    expect(text(said)).toBe(said);
  });
});

describe('an object', () => {
  it('is rid of fields with secret names, at any depth', () => {
    expect(
      value({ job: { dbPassword: 'x', list: [{ 'set-cookie': ['y'] }], apiKey: 'z', to: 'a@example.com' } }),
    ).toEqual({
      job: {
        dbPassword: '********',
        list: [{ 'set-cookie': '********' }],
        apiKey: '********',
        to: '<address>',
      },
    });
  });

  it('with cycles, a great many fields, or great depth is told in part', () => {
    const itself: Record<string, unknown> = { many: Array.from({ length: 10_000 }, (_, n) => n) };
    itself.again = itself;
    let deep: unknown = 1;
    for (let n = 0; n < 1_000; n++) deep = { deep };
    const told = JSON.stringify(value({ itself, deep, long: 'x'.repeat(1e6) }));
    expect(told).toContain('"again":"(itself)"');
    expect(told).toContain('and 9950 more');
    expect(told).toContain('(deeper)');
    expect(told.length).toBeLessThan(6_000);
  });

  it('that is an error is told with its causes', () => {
    const error = new TypeError('no', { cause: new Error('because of a@example.com') });
    expect(value(error)).toMatchObject({
      name: 'TypeError',
      cause: { message: 'because of <address>' },
    });
  });

  it('that throws when it is read is told as far as it can be', () => {
    const hostile = {
      fine: 1,
      get broken() {
        throw new Error('no');
      },
    };
    expect(value(hostile)).toEqual({ fine: 1, broken: '(unreadable)' });
  });
});

describe('a text that is cut', () => {
  it('holds no half of a secret and no half of an address', () => {
    const long = 'S3cr3t with spaces '.repeat(12).trim();
    const scrubber = makeScrubber({ SOME_SECRET: long });
    const address = `${'reader'.repeat(10)}@${'example'.repeat(8)}.com`;
    // Any place of the cut within it.
    for (let shift = 0; shift < 260; shift++) {
      const filler = '.'.repeat(shift);
      expect(scrubber.text(`${filler} ${`${long} `.repeat(120)}`)).not.toMatch(/S3cr3t|spaces/);
      expect(scrubber.text(`${filler} ${`${address} `.repeat(300)}`)).not.toMatch(/reader|example/);
    }
  });
});

describe('an environment', () => {
  it('with a URL that is wrongly encoded is read, and its password hidden', () => {
    const scrubber = makeScrubber({ OTHERS_URL: 'redis://user:100%zz-sure@host' });
    expect(scrubber.text('with 100%zz-sure')).toBe('with ********');
  });
});
