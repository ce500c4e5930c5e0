import { expect, it } from 'vitest';
import { checkNode } from './nodeVersion.mjs';

it.each(['20.19.0', '20.20.2', '21.0.0', '24.3.0'])('Node %s is new enough', (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

it.each(['16.20.2', '18.19.0', '20.9.0', '20.18.3'])(
  'Node %s is too old, and the error says so',
  (version) => {
    expect(() => checkNode(version)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringContaining(`20.19 or newer; this is ${version}`),
      }),
    );
  },
);
