/** `links` in a campaign file: which links lead through a page of the site's own, where they are counted. */
import { z } from 'zod';

/** Analytics take any text; these need no quoting in a URL (RFC 3986 unreserved). */
const utmValue = z.string().regex(/^[A-Za-z0-9_.~-]+$/, 'expected letters, digits, and _ . ~ -');

const UTM_KEYS = ['source', 'medium', 'campaign', 'content', 'id', 'term'] as const;

const PREFIX_EXPECTED = 'a path with a slash at both ends, as /daily/';
const HOST_EXPECTED = 'a host, as www.example.com, maybe with its port; http://… where there is no HTTPS';

/** Our public app has these for itself. */
const TAKEN = /^\/(u|hooks|healthz|readyz|probe)\//;

const prefix = z
  .string()
  .regex(/^(\/[A-Za-z0-9_.~-]+)+\/$/, `expected ${PREFIX_EXPECTED}`)
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'expected no . and ..')
  .refine((path) => !TAKEN.test(path), 'this path is the public app’s own, expected another one');

/** To an origin: redirects go to https, unless the host says otherwise. */
const host = z.string().transform((text, context) => {
  const url = /^(https?:\/\/)?[^\s/?#@\\]+$/i.test(text) && toUrl(text);
  if (url) return url.origin;
  context.issues.push({ code: 'custom', input: text, message: `expected ${HOST_EXPECTED}` });
  return z.NEVER;
});

function toUrl(text: string): URL | undefined {
  const withScheme = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  return URL.canParse(withScheme) ? new URL(withScheme) : undefined;
}

/** @param yesNo of the campaign's schema. */
export const makeLinksSchema = (yesNo: z.ZodType<boolean>) =>
  z.strictObject({
    /** Where the page is that sends visitors on, on each of the hosts. */
    prefix,
    /** Links to these are rewritten, no others. */
    hosts: z.array(host).min(1, `expected ${HOST_EXPECTED}`).max(20),
    utm: z
      .strictObject(
        Object.fromEntries(UTM_KEYS.map((key) => [key, utmValue])) as Record<UtmKey, typeof utmValue>,
      )
      .partial()
      .default({}),
    /** A signed token in every link tells recipients apart. That is tracking of persons. */
    per_recipient: yesNo,
  });

type UtmKey = (typeof UTM_KEYS)[number];
export type Links = z.infer<ReturnType<typeof makeLinksSchema>>;

/** What analytics see when a campaign does not say it: it came by mail, from this campaign. */
export function withDefaultUtm(links: Links, campaign: string): Links {
  return { ...links, utm: { source: campaign, medium: 'email', campaign, ...links.utm } };
}

export const LINKS_HINTS = {
  keys: { links: ['prefix', 'hosts', 'utm', 'per_recipient'], 'links.utm': [...UTM_KEYS] },
  expected: {
    links: '{ prefix, hosts }, and maybe utm',
    'links.prefix': PREFIX_EXPECTED,
    'links.hosts': 'a list of hosts, as [www.example.com]',
  },
};
