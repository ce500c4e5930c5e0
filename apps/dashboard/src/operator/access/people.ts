/**
 * Who may log in with a password. A plain DASHBOARD_PASSWORD is hashed at the start and compared only as a hash. Every
 * person has a fingerprint of their entry in the settings; a session carries it, so that whoever is removed, or gets
 * another role or password, is out at the next request.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { hashPassword, isPassword, type Person, type Role } from '@sendonce/shared/access';
import type { DashboardSettings, Logger } from '@sendonce/shared/runtime';

export interface KnownPerson {
  name: string;
  role: Role;
  fingerprint: string;
}

export class People {
  readonly #people: ReadonlyMap<string, Person>;
  readonly #sessionKey: string;
  readonly #decoy: string;

  private constructor(people: readonly Person[], sessionKey: string, decoy: string) {
    this.#people = new Map(people.map((person) => [person.name, person]));
    this.#sessionKey = sessionKey;
    this.#decoy = decoy;
  }

  static async open(settings: DashboardSettings, sessionKey: string, logger: Logger): Promise<People> {
    const first = await firstOperator(settings, sessionKey, logger);
    const people = first ? [first, ...settings.users] : settings.users;
    // As dear as a real one, so that an unknown name takes as long as a wrong password.
    const decoy = people[0]?.passwordHash ?? (await hashPassword(randomBytes(16).toString('hex')));
    return new People(people, sessionKey, decoy);
  }

  /** Whether anybody may log in with a password. */
  get isEmpty(): boolean {
    return this.#people.size === 0;
  }

  /** Undefined for an unknown name and for a wrong password, after the same time. */
  async check(name: string, password: string): Promise<KnownPerson | undefined> {
    const person = this.#people.get(name);
    const isRight = await isPassword(password, person?.passwordHash ?? this.#decoy);
    return person && isRight ? this.#known(person) : undefined;
  }

  find(name: string): KnownPerson | undefined {
    const person = this.#people.get(name);
    return person && this.#known(person);
  }

  #known({ name, role, passwordHash }: Person): KnownPerson {
    return { name, role, fingerprint: fingerprint(this.#sessionKey, [name, role, passwordHash]) };
  }
}

/** With the secret key: cookies are signed but can be read, and a hash of a hash would invite guessing. */
export function fingerprint(sessionKey: string, parts: readonly string[]): string {
  return createHmac('sha256', sessionKey).update(JSON.stringify(parts)).digest('base64url');
}

/** DASHBOARD_USER, unless only others are to log in. */
async function firstOperator(
  { user: name, password, passwordHash, users, oidc }: DashboardSettings,
  sessionKey: string,
  logger: Logger,
): Promise<Person | undefined> {
  const role = 'operator';
  if (passwordHash) return { name, role, passwordHash };
  if (!password && (users.length > 0 || oidc)) return undefined;
  // The salt comes from the key that all dashboards share: the same hash in all of them, and after a restart, so that
  // sessions go on.
  const salt = createHmac('sha256', sessionKey).update(`salt of ${name}`).digest();
  return { name, role, passwordHash: await hashPassword(password ?? makePassword(name, logger), salt) };
}

function makePassword(name: string, logger: Logger): string {
  const made = randomBytes(12).toString('base64url');
  // To the terminal and not to the log: logs are kept and shipped.
  process.stderr.write(`\nDashboard login: ${name} / ${made}  (set DASHBOARD_PASSWORD to choose it)\n\n`);
  logger.info('no DASHBOARD_PASSWORD: a password was made and printed once');
  return made;
}
