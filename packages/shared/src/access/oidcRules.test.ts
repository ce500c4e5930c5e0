import { describe, expect, it } from 'vitest';
import { parseOidcRules, roleOf } from './index.js';

const RULES = {
  operators: parseOidcRules('Jane@example.com group:mailers').rules,
  viewers: parseOidcRules('@example.com,group:Everyone').rules,
};

describe("an identity provider's people", () => {
  it.each([
    ['whose address is named', { email: 'jane@example.com', groups: [] }, 'operator'],
    ['whose group is named', { groups: ['other', 'mailers'] }, 'operator'],
    ['of a domain', { email: 'joe@example.com', groups: [] }, 'viewer'],
    ['of a domain that only ends alike', { email: 'joe@notexample.com', groups: [] }, undefined],
    ['of a domain below it', { email: 'joe@evil.example.com', groups: [] }, undefined],
    ['without an address that is verified', { groups: [] }, undefined],
    ['whose group is spelled otherwise', { groups: ['everyone'] }, undefined],
  ])('%s', (_, identity, role) => {
    expect(roleOf(identity, RULES)).toBe(role);
  });
});
