import { API_KEY_NAME, API_SCOPES, isApiScope, makeApiKey, UsageError } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { print, remark } from '../output.js';

export function addApiKeyCommand(program: Command): void {
  program
    .command('api-key')
    .argument('<name>', 'whose key it is')
    .option('--scopes <scopes>', `what it may do: ${API_SCOPES.join(', ')}, separated by commas`, 'read')
    .description('make a key of the HTTP API; nothing is stored')
    .action((name: string, options: { scopes: string }) => {
      if (!API_KEY_NAME.test(name))
        throw new UsageError(`expected a name of letters, digits, - and _, at most 40, got "${name}"`);
      const scopes = options.scopes.split(',').map((scope) => scope.trim());
      if (!scopes.every(isApiScope))
        throw new UsageError(`--scopes: expected some of ${API_SCOPES.join(', ')}, got "${options.scopes}"`);
      const { key, entry } = makeApiKey(name, [...new Set(scopes)]);
      remark('The key, for whoever uses it. It is shown this once:');
      print(key);
      remark(
        '\nAdd this to API_KEYS of the dashboard, after a space or a comma if there are others, and restart it:',
      );
      print(entry);
    });
}
