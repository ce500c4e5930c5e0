/** The settings of who gets into the dashboard: people with passwords, and an identity provider. */
import { z } from 'zod';
import { isPasswordHash, type OidcRules, type Person, parseOidcRules, parsePeople } from '../access/index.js';

const people = z.string().transform((text, context) => {
  const { people, problems } = parsePeople(text);
  for (const message of problems) context.addIssue({ code: 'custom', message });
  return people;
});

const rules = z.string().transform((text, context) => {
  const { rules, problems } = parseOidcRules(text);
  for (const message of problems) context.addIssue({ code: 'custom', message });
  return rules;
});

/** Anybody between us and an http:// address could let anyone in. */
const httpsUrl = z
  .string()
  .refine((text) => URL.canParse(text) && (text.startsWith('https://') || isLocalHttp(new URL(text))), {
    error: 'expected a URL that starts with https:// (http:// only on this machine)',
  });

export const DASHBOARD_VARIABLES = {
  DASHBOARD_HOST: z.string().default('127.0.0.1'),
  DASHBOARD_PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** As operators reach it; an identity provider sends them back there. */
  DASHBOARD_URL: z
    .string()
    .refine((text) => /^https?:\/\/[^/?#]+\/?$/.test(text) && URL.canParse(text), {
      error: 'expected http://host:port or https://host, without a path',
    })
    .optional(),
  /** How many proxies are in front of it: only their X-Forwarded-For and X-Forwarded-Proto are believed. */
  DASHBOARD_PROXIES: z.coerce.number().int().min(0).max(5).default(0),
  DASHBOARD_USER: z.string().min(1).max(100).default('admin'),
  DASHBOARD_PASSWORD: z.string().min(8, 'expected at least 8 characters').max(1_000).optional(),
  DASHBOARD_PASSWORD_HASH: z
    .string()
    .refine(isPasswordHash, { error: 'expected what `sendonce password` has made' })
    .optional(),
  DASHBOARD_USERS: people.default([]),
  OIDC_ISSUER: httpsUrl.optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_OPERATORS: rules.default([]),
  OIDC_VIEWERS: rules.default([]),
  /** The claim that lists somebody's groups. */
  OIDC_GROUPS_CLAIM: z.string().default('groups'),
};

type Variables = z.infer<z.ZodObject<typeof DASHBOARD_VARIABLES>>;

export interface OidcSettings extends OidcRules {
  issuer: string;
  clientId: string;
  clientSecret: string;
  groupsClaim: string;
}

export interface DashboardSettings {
  host: string;
  port: number;
  url: string;
  proxies: number;
  /** An operator, with one of the two; where there is neither and nobody else may log in, a password is made. */
  user: string;
  password?: string;
  passwordHash?: string;
  users: Person[];
  oidc?: OidcSettings;
}

export function toDashboardSettings(variables: Variables): DashboardSettings {
  const { DASHBOARD_HOST: host, DASHBOARD_PORT: port } = variables;
  const oidc = toOidcSettings(variables);
  return {
    host,
    port,
    url: (variables.DASHBOARD_URL ?? `http://${host}:${port}`).replace(/\/$/, ''),
    proxies: variables.DASHBOARD_PROXIES,
    user: variables.DASHBOARD_USER,
    ...(variables.DASHBOARD_PASSWORD && { password: variables.DASHBOARD_PASSWORD }),
    ...(variables.DASHBOARD_PASSWORD_HASH && { passwordHash: variables.DASHBOARD_PASSWORD_HASH }),
    users: variables.DASHBOARD_USERS,
    ...(oidc && { oidc }),
  };
}

function toOidcSettings(variables: Variables): OidcSettings | undefined {
  const {
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: clientSecret,
    OIDC_GROUPS_CLAIM: groupsClaim,
    OIDC_OPERATORS: operators,
    OIDC_VIEWERS: viewers,
  } = variables;
  if (!issuer || !clientId || !clientSecret) return undefined;
  return { issuer, clientId, clientSecret, groupsClaim, operators, viewers };
}

/** What only shows when several settings are looked at together. */
export function dashboardContradictions(variables: Variables): string[] {
  const { DASHBOARD_USER: user, DASHBOARD_USERS: users, DASHBOARD_HOST: host } = variables;
  const hasPassword = Boolean(variables.DASHBOARD_PASSWORD ?? variables.DASHBOARD_PASSWORD_HASH);
  const problems = oidcContradictions(variables);
  if (variables.DASHBOARD_PASSWORD && variables.DASHBOARD_PASSWORD_HASH)
    problems.push('DASHBOARD_PASSWORD_HASH: set either this or DASHBOARD_PASSWORD');
  if (hasPassword && users.some(({ name }) => name === user))
    problems.push(`DASHBOARD_USERS: "${user}" is DASHBOARD_USER already`);
  if (!isLoopback(host) && !hasPassword && users.length === 0 && !variables.OIDC_ISSUER)
    problems.push(
      `DASHBOARD_HOST: ${host} can be reached by others, so DASHBOARD_PASSWORD is needed (or DASHBOARD_PASSWORD_HASH, DASHBOARD_USERS, OIDC_ISSUER)`,
    );
  return problems;
}

function oidcContradictions(variables: Variables): string[] {
  const parts = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const;
  const hasPeople = variables.OIDC_OPERATORS.length + variables.OIDC_VIEWERS.length > 0;
  if (!hasPeople && parts.every((name) => variables[name] === undefined)) return [];
  const problems = [...parts, 'DASHBOARD_URL' as const]
    .filter((name) => variables[name] === undefined)
    .map((name) => `${name} is not set: logging in by OIDC needs it`);
  if (!hasPeople) problems.push('OIDC_OPERATORS: neither this nor OIDC_VIEWERS says who may log in');
  return problems;
}

/** Whether a host to listen on is this machine only. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isLocalHttp({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
