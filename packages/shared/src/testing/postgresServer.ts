/** A PostgreSQL of a test's own, of this machine's programs (Debian's `postgresql`). */
import { dirname, join } from 'node:path';
import pg from 'pg';
import { findProgram, PrivateServer } from './privateServer.js';
import { waitFor } from './waitFor.js';

const program = findProgram('postgres', '/usr/lib/postgresql/*/bin');

/** Why there can be none; undefined: there can. */
export const postgresObstacle = program
  ? undefined
  : 'no PostgreSQL on this machine (apt install postgresql)';

/** What a crash loses is of no matter, and syncing takes most of the time. */
const FAST = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];

export class PostgresServer {
  private constructor(private readonly server: PrivateServer) {}

  /** @param port a free one. */
  static async start(port: number): Promise<PostgresServer> {
    if (!program) throw new Error(postgresObstacle);
    const initdb = join(dirname(program), 'initdb');
    const settings = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--username=app'];
    const started = new PostgresServer(
      await PrivateServer.start(
        {
          name: 'postgres',
          program,
          prepare: (dir) => [initdb, '-D', join(dir, 'data'), ...settings],
          args: (dir, port) => [
            ...['-D', join(dir, 'data'), '-p', String(port), '-k', dir, '-h', '127.0.0.1'],
            ...FAST,
          ],
          user: 'postgres',
          // A fast shutdown: whoever is connected is cut off.
          stopSignal: 'SIGINT',
        },
        port,
      ),
    );
    await started.#whenAnswering();
    return started;
  }

  get url(): string {
    return `postgres://app:hidden-password@127.0.0.1:${this.server.port}/postgres`;
  }

  /** The rows of one statement, or of the last of several. */
  async query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      const result = (await client.query(sql, values)) as pg.QueryResult | pg.QueryResult[];
      return [result].flat().at(-1)?.rows ?? [];
    } finally {
      await client.end();
    }
  }

  /** Takes an advisory lock. @returns what gives it back. */
  async lock(key: number): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [key]);
    return () => client.end();
  }

  /** It listens before that. */
  async #whenAnswering(): Promise<void> {
    await waitFor('PostgreSQL to answer', () => this.query('select 1').catch(() => undefined));
  }

  halt(): Promise<void> {
    return this.server.halt();
  }

  async resume(): Promise<void> {
    await this.server.start();
    await this.#whenAnswering();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
