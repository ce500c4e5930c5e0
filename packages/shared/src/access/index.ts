/** Who may do what: people with their roles, how their passwords are kept, and whom an identity provider may send. */
export { type OidcIdentity, type OidcRules, parseOidcRules, roleOf } from './oidcRules.js';
export { hashPassword, isPassword, isPasswordHash } from './passwordHash.js';
export { type Person, parsePeople, ROLES, type Role } from './people.js';
