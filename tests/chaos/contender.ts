/**
 * Whoever is put to the test. A round does the same to all of them, and judges them by the same inbox; here is what differs:
 * how a run is started, what a redelivered job is, and when a run has come to its end.
 */
import type { ChildProcess } from 'node:child_process';
import type { System } from '../e2e/system.js';

/** What a contender is put on: real processes, and a wire to Redis that can be cut. */
export interface Stage {
  system: System;
  /** Redis through the wire. */
  wiredRedisUrl: string;
  recipients: number;
  /** Mails a second, so that a round lasts long enough for its plan. */
  ratePerSecond: number;
}

/** Mails that were accepted, by `chunk/position`. */
export type Inbox = Record<string, number>;

/** What a contender says of its own run, compared with the inbox. */
export interface Ledger {
  /** Doubts that are still open in the end. */
  inDoubt: number;
  /** Of those, recipients who have no mail: not lost, since an operator is told of them. */
  inDoubtWithoutMail: number;
  /** Recipients of whom it says something else than the inbox. */
  mismatches: number;
}

export interface Contender {
  readonly name: string;
  /** The id under which the inbox counts. */
  readonly run: string;
  /** What has to be up before anything goes wrong. */
  prepare(): Promise<void>;
  spawnWorker(): ChildProcess;
  /** Starts the run; resolves when the first mail is out. */
  start(): Promise<void>;
  /** A chunk's work once more: taken out if that is possible, and added again. */
  redeliver(chunk: number): Promise<void>;
  /** Work of a chunk that is done, once more. */
  retryFinished(chunk: number): Promise<void>;
  startAgain(): Promise<void>;
  /** Another scheduler finds the same occurrence due. */
  secondScheduler(): Promise<void>;
  /** Resolves when nothing will happen any more. */
  whenEnded(timeoutMs: number): Promise<void>;
  compare(inbox: Inbox): Promise<Ledger>;
  stop(): Promise<void>;
}
