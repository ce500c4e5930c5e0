/** Who may log in at the dashboard, as it stands in DASHBOARD_USERS: `name:role:hash`, separated by spaces or commas. */
import { isPasswordHash } from './passwordHash.js';

/** What somebody may do: a viewer looks, an operator changes things. */
export const ROLES = ['viewer', 'operator'] as const;
export type Role = (typeof ROLES)[number];

export interface Person {
  name: string;
  role: Role;
  /** As `hashPassword` makes it. */
  passwordHash: string;
}

const NAME = /^[\w.@+-]{1,100}$/;

/** Every problem names its entry by place and not by content: what is in the wrong place may be a password. */
export function parsePeople(text: string): { people: Person[]; problems: string[] } {
  const people: Person[] = [];
  const problems: string[] = [];
  const entries = text.split(/[\s,]+/).filter(Boolean);
  entries.forEach((entry, index) => {
    const [name = '', role = '', passwordHash = '', ...rest] = entry.split(':');
    const problem = problemOf(name, role, passwordHash, rest) ?? twice(people, name);
    if (problem) problems.push(`entry ${index + 1}: ${problem}`);
    else people.push({ name, role: role as Role, passwordHash });
  });
  return { people, problems };
}

function problemOf(name: string, role: string, passwordHash: string, rest: string[]): string | undefined {
  if (rest.length > 0 || !passwordHash) return 'expected name:role:hash';
  if (!NAME.test(name)) return 'the name may have letters, digits and . @ + - _';
  if (!ROLES.includes(role as Role)) return `the role is none of ${ROLES.join(', ')}`;
  if (!isPasswordHash(passwordHash)) return 'the hash is none that `sendonce password` has made';
  return undefined;
}

function twice(people: Person[], name: string): string | undefined {
  return people.some((person) => person.name === name) ? `there is another "${name}"` : undefined;
}
