import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { Interruption, SAME_WISH_MS } from './interruption.mjs';

function setup() {
  let at = 0;
  const own = Object.assign(new EventEmitter(), { exit: vi.fn() });
  const child = { kill: vi.fn() };
  const interruption = new Interruption(own, () => at);
  const send = (signal, afterMs) => {
    at += afterMs;
    own.emit(signal);
  };
  return { interruption, own, child, send };
}

describe('while a command runs', () => {
  it('Ctrl-C, which npm repeats, reaches it once', () => {
    const { interruption, child, send } = setup();
    interruption.handOnTo(child);
    send('SIGINT', 0);
    send('SIGINT', 5);
    expect(child.kill.mock.calls).toEqual([['SIGINT']]);
  });

  it('a second Ctrl-C reaches it, too', () => {
    const { interruption, child, send } = setup();
    interruption.handOnTo(child);
    send('SIGINT', 0);
    send('SIGINT', SAME_WISH_MS);
    expect(child.kill.mock.calls).toEqual([['SIGINT'], ['SIGINT']]);
  });

  it('the end of the terminal reaches it as a wish to end', () => {
    const { interruption, child, send } = setup();
    interruption.handOnTo(child);
    send('SIGHUP', 0);
    expect(child.kill.mock.calls).toEqual([['SIGTERM']]);
  });

  it('we stay until it has ended, however often we are asked', () => {
    const { interruption, own, child, send } = setup();
    interruption.handOnTo(child);
    for (let i = 0; i < 3; i++) send('SIGTERM', SAME_WISH_MS);
    expect(own.exit).not.toHaveBeenCalled();
  });
});

describe('while we prepare', () => {
  it('the first signal calls it off, with the code that shells give it', () => {
    const { interruption, own, send } = setup();
    expect(interruption.signal.aborted).toBe(false);
    send('SIGINT', 0);
    send('SIGINT', 5);
    expect(interruption.signal.aborted).toBe(true);
    expect(interruption.exitCode).toBe(130);
    expect(own.exit).not.toHaveBeenCalled();
  });

  it('the second ends us at once', () => {
    const { own, send } = setup();
    send('SIGTERM', 0);
    send('SIGINT', SAME_WISH_MS);
    expect(own.exit).toHaveBeenCalledWith(143);
  });
});
