/**
 * Secrets from files, as Docker and Kubernetes hand them to a container: `LINK_SECRET_FILE=/run/secrets/link-secret` instead of
 * `LINK_SECRET`. What stands in a container's environment is told to everybody who may ask for its configuration.
 */
import { readFileSync } from 'node:fs';
import { hideSecret } from '@sendonce/alerts';
import { messageOf } from './errors.js';

/** Settings that hold a secret. REDIS_URL does when it has a password. */
export const SECRETS = [
  'ALERT_SMTP_URL',
  'ALERT_WEBHOOK_URL',
  'API_KEYS',
  'DASHBOARD_PASSWORD',
  'DASHBOARD_PASSWORD_HASH',
  'DASHBOARD_USERS',
  'LINK_SECRET',
  'LINK_SECRET_PREVIOUS',
  'OIDC_CLIENT_SECRET',
  'REDIS_URL',
] as const;

/** @returns what the files hold, by the name of the setting, and every problem with them; no content of a file is in these. */
export function readSecretFiles(given: Readonly<Record<string, string | undefined>>): {
  secrets: Record<string, string>;
  problems: string[];
} {
  const secrets: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of SECRETS) {
    const path = given[`${name}_FILE`];
    if (path === undefined) continue;
    if (given[name] !== undefined) {
      problems.push(`${name}_FILE: set either this or ${name}`);
      continue;
    }
    try {
      // An empty one is a setting that is not set: a list of keys that has none yet, the secret before one that never changed.
      const text = readFileSync(path, 'utf8').trim();
      if (text !== '') secrets[name] = text;
      hideSecret(name, text);
    } catch (error) {
      problems.push(`${name}_FILE: ${messageOf(error)}`);
    }
  }
  return { secrets, problems };
}
