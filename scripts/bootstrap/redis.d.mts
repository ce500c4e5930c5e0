export interface RedisCommand {
  program: string;
  args: string[];
  image?: string;
}

export interface EmbeddedRedis {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly pid: number | undefined;
  /** Starts it again, on the data that lies there. */
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

export function startRedis(options: {
  dataDir: string;
  port?: number;
  args?: string[];
  program?: RedisCommand;
  /** What lies in the data folder from an earlier command is removed first. */
  isFresh?: boolean;
}): Promise<EmbeddedRedis>;

export function freePort(): Promise<number>;
