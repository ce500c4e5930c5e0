/**
 * What makes two errors the same kind: the sentence, the type, the message without what differs from time to time, and
 * where in our own code it came from. Line numbers do not count, so that a deploy does not make old errors new.
 */
import { createHash } from 'node:crypto';

/** Frames that count, nearest first. */
const FRAMES = 3;

export interface Fingerprinted {
  title: string;
  type?: string;
  message?: string;
  stack?: string;
}

/** @returns 16 characters. */
export function fingerprintOf({ title, type = '', message = '', stack = '' }: Fingerprinted): string {
  const parts = [withoutVariables(title), type, withoutVariables(message), ...ownFrames(stack)];
  return createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 16);
}

/** Addresses, ids, numbers and quoted values differ between two errors of a kind. */
function withoutVariables(text: string): string {
  return text
    .slice(0, 1_000)
    .replace(/\S+@\S+/g, '#')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b(?=[\w-]*\d)[\w-]{6,}\b/g, '#')
    .replace(/\d+/g, '#');
}

/** `Class.method (file.js)`, without Node's own and libraries'. */
function ownFrames(stack: string): string[] {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node_modules|\(?node:/.test(line))
    .slice(0, FRAMES)
    .map((line) => line.replace(/^\s+at (async )?/, '').replace(/[^\s(]*\/([^/\s)]+?)(:\d+)*\)?$/, '$1'));
}
