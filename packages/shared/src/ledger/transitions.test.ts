import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { transitionsAsMermaid } from './transitions.js';

it('the diagram in ARCHITECTURE.md is the one of the table', () => {
  const document = readFileSync(new URL('../../../../ARCHITECTURE.md', import.meta.url), 'utf8');
  expect(document).toContain(`\`\`\`mermaid\n${transitionsAsMermaid()}\n\`\`\``);
});
