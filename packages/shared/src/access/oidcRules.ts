/** Which of an identity provider's people are operators or viewers: addresses, `@domain`s, `group:NAME`s. */
import type { Role } from './people.js';

export interface OidcRules {
  operators: string[];
  viewers: string[];
}

/** What the provider says about somebody, after its signature was checked. */
export interface OidcIdentity {
  /** In lower case; only one that the provider calls verified. */
  email?: string;
  groups: string[];
}

const RULE = /^(group:.+|[^\s@]*@[^\s@]+)$/;

export function parseOidcRules(text: string): { rules: string[]; problems: string[] } {
  const rules = text.split(/[\s,]+/).filter(Boolean);
  const problems = rules
    .filter((rule) => !RULE.test(rule))
    .map((rule) => `"${rule}": expected an address, @domain or group:NAME`);
  return { rules: rules.map((rule) => (rule.startsWith('group:') ? rule : rule.toLowerCase())), problems };
}

/** Undefined: not one of ours. Whoever is both is an operator. */
export function roleOf(identity: OidcIdentity, { operators, viewers }: OidcRules): Role | undefined {
  if (operators.some((rule) => holds(rule, identity))) return 'operator';
  return viewers.some((rule) => holds(rule, identity)) ? 'viewer' : undefined;
}

function holds(rule: string, { email, groups }: OidcIdentity): boolean {
  if (rule.startsWith('group:')) return groups.includes(rule.slice('group:'.length));
  if (email === undefined) return false;
  return rule.startsWith('@') ? email.slice(email.lastIndexOf('@')) === rule : email === rule;
}
