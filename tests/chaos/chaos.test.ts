/** The short form of `npm run chaos`: rounds with events, one without, and one on a Redis Cluster, all of ours. */
import { describe, expect, it } from 'vitest';
import { doubtsAllowed, makePlan } from './plan.js';
import { playRound } from './round.js';

describe('chaos', () => {
  it('is the same for the same seed', () => {
    expect(makePlan(7, 4)).toEqual(makePlan(7, 4));
    expect(makePlan(7, 4)).not.toEqual(makePlan(8, 4));
  });

  it.each([
    { seed: 1, isCluster: false },
    { seed: 2, isCluster: false },
    { seed: 1, isCluster: true },
  ])(
    'of $seed leaves nobody out and nobody with two mails (on a cluster: $isCluster)',
    async (options) => {
      const { duplicates, losses, inDoubt, mismatches } = await playRound({ ...options, recipients: 1_200 });
      expect({ duplicates, losses, inDoubt, mismatches }).toEqual({
        duplicates: 0,
        losses: 0,
        inDoubt: 0,
        mismatches: 0,
      });
    },
    300_000,
  );

  it('without events leaves in doubt what dead workers had claimed, and nothing else', async () => {
    const { plan, duplicates, losses, inDoubt, mismatches } = await playRound({
      seed: 5,
      recipients: 1_200,
      hasEvents: false,
    });
    expect({ duplicates, losses, mismatches }).toEqual({ duplicates: 0, losses: 0, mismatches: 0 });
    expect(inDoubt).toBeLessThanOrEqual(doubtsAllowed(plan));
  });
});
