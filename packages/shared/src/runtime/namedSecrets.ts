/**
 * Secrets that campaign files name: `url_env: APP_DATABASE_URL`. As settings they come from the environment (with the `.env`,
 * which `readSettings` has taken into it), or from the file that APP_DATABASE_URL_FILE names.
 */
import { readFileSync } from 'node:fs';
import { hideSecret } from '@sendonce/alerts';
import { messageOf } from './errors.js';

/**
 * @returns undefined when neither is set.
 * @throws {Error} when the file can't be read; no content of it is in the message.
 */
export function readNamedSecret(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const value = env[name]?.trim() || readSecretFile(name, env[`${name}_FILE`]);
  if (!value) return undefined;
  // Of a URL the password is hidden from logs and alerts, of all else the whole.
  hideSecret(URL.canParse(value) ? name : `${name} secret`, value);
  return value;
}

function readSecretFile(name: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`${name}_FILE: ${messageOf(error)}`, { cause: error });
  }
}
