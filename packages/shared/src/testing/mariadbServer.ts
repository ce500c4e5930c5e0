/** A MariaDB of a test's own, of this machine's programs (Debian's `mariadb-server-core`). */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { findProgram, PrivateServer } from './privateServer.js';
import { waitFor } from './waitFor.js';

const program = findProgram('mariadbd', '/usr/sbin');

/** Why there can be none; undefined: there can. */
export const mariadbObstacle = program
  ? undefined
  : 'no MariaDB on this machine (apt install mariadb-server-core)';

export class MariadbServer {
  private constructor(private readonly server: PrivateServer) {}

  /** @param port a free one. */
  static async start(port: number): Promise<MariadbServer> {
    if (!program) throw new Error(mariadbObstacle);
    const { username } = userInfo();
    const started = new MariadbServer(
      await PrivateServer.start(
        {
          name: 'mariadb',
          program,
          // Without accounts it makes its data by itself, in a quarter of the time.
          prepare: () => undefined,
          args: (dir, port) => [
            ...[
              '--no-defaults',
              '--skip-grant-tables',
              `--datadir=${dir}`,
              `--port=${port}`,
              `--user=${username}`,
            ],
            ...['--bind-address=127.0.0.1', '--skip-networking=0', `--socket=${join(dir, 'socket')}`],
            ...[
              '--innodb-flush-log-at-trx-commit=0',
              '--innodb-buffer-pool-size=32M',
              '--innodb-log-file-size=8M',
            ],
          ],
          user: 'root',
          stopSignal: 'SIGKILL',
        },
        port,
      ),
    );
    await waitFor('MariaDB to answer', () => started.query('create database app').catch(() => undefined));
    return started;
  }

  get url(): string {
    return `mysql://app:hidden-password@127.0.0.1:${this.server.port}/app`;
  }

  async query(sql: string, values?: unknown[]): Promise<unknown> {
    const connection = await mysql.createConnection(
      this.url.replace(/\/app$/, sql.startsWith('create database') ? '/' : '/app'),
    );
    try {
      return (await connection.query(sql, values))[0];
    } finally {
      await connection.end();
    }
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
