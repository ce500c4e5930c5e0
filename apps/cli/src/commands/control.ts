/** pause, resume, cancel: what an operator does to a run as a whole. */

import { cancelRun, pauseRun, resumeRun } from '@sendonce/shared/control';
import type { Command } from 'commander';
import { recordDeed } from '../audit.js';
import { type Context, withContext } from '../context.js';
import { print, remark } from '../output.js';

interface Action {
  name: 'pause' | 'resume' | 'cancel';
  description: string;
  apply(context: Context, run: string, reason: string): Promise<boolean>;
  done: string;
}

const ACTIONS: Action[] = [
  {
    name: 'pause',
    description: 'stop claiming; what is under way is settled',
    apply: (context, run, reason) => pauseRun(context, run, reason),
    done: 'is paused',
  },
  {
    name: 'resume',
    description: 'go on with a paused run',
    apply: (context, run) => resumeRun(context, run),
    done: 'goes on',
  },
  {
    name: 'cancel',
    description: 'end a run for good: who is queued gets nothing',
    apply: (context, run, reason) => cancelRun(context, run, reason),
    done: 'is cancelled',
  },
];

export function addControlCommands(program: Command): void {
  for (const { name, description, apply, done } of ACTIONS) {
    program
      .command(name)
      .argument('<run>')
      .option('--reason <text>', 'shown wherever the run is shown', 'by an operator')
      .description(description)
      .action(async (run: string, { reason }: { reason: string }) => {
        await withContext(async (context) => {
          const isDone = await apply(context, run, reason);
          await recordDeed(context, {
            action: `run.${name}`,
            subject: run,
            outcome: isDone ? 'done' : 'nothing',
            detail: reason,
          });
          if (isDone) return print(`${run} ${done}.`);
          const { status } = await context.runs.get(run);
          remark(`${run} is ${status}: nothing to ${name}.`);
          process.exitCode = 1;
        });
      });
  }
}
