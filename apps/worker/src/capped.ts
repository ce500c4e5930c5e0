/** A campaign's `cap`, at the claim: who has had enough takes no mail, and whom SES refuses has not had one. */
import { addressKey } from '@sendonce/shared/audience';
import type { FrequencyCaps } from '@sendonce/shared/caps';
import type { Recipient, Settlement } from '@sendonce/shared/ledger';
import type { Logger } from '@sendonce/shared/runtime';
import type { PinnedRun } from './pinnedRuns.js';

export interface CappedServices {
  caps: FrequencyCaps;
  logger: Logger;
}

/** A run's campaign, its id, and a chunk of it. */
interface CappedChunk {
  ref: { run: string };
  run: Pick<PinnedRun, 'snapshot'>;
  recipients: readonly Recipient[];
}

/** Takes a place for everybody at these positions. @returns those who get none, with the reason; costs nothing without a cap. */
export async function cappedAmong(
  { caps }: CappedServices,
  { ref, run, recipients }: CappedChunk,
  positions: readonly number[],
): Promise<[position: number, reason: string][]> {
  const { cap } = run.snapshot.definition;
  if (!cap || positions.length === 0) return [];
  const full = await caps.take(cap, ref.run, keysAt(recipients, positions));
  const reason = `frequency cap: ${cap.max} of group ${cap.group} in ${cap.per}`;
  return full.map((index) => [positions[index] as number, reason]);
}

/**
 * Gives back the places of those whom SES refused for good. One that can't be given back costs a person one mail, later. Costs
 * nothing without a cap.
 * @param tooLate positions whose answers the ledger did not take: what became of them is for others to say.
 */
export async function giveBackRejected(
  { caps, logger }: CappedServices,
  { ref, run, recipients }: CappedChunk,
  settled: readonly Settlement[],
  tooLate: readonly number[],
): Promise<void> {
  const { cap } = run.snapshot.definition;
  if (!cap) return;
  const positions = settled
    .filter(({ event, position }) => event === 'reject' && !tooLate.includes(position))
    .map(({ position }) => position);
  if (positions.length === 0) return;
  await caps
    .giveBack(cap, ref.run, keysAt(recipients, positions))
    .catch((error: unknown) =>
      logger.warn({ ...ref, err: error }, 'places of a frequency cap were not given back'),
    );
}

function keysAt(recipients: readonly Recipient[], positions: readonly number[]): string[] {
  return positions.map((position) => addressKey(recipients[position]?.address ?? ''));
}
