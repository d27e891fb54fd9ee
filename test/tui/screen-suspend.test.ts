import { afterEach, describe, expect, it } from 'vitest';
import { Suspender } from '../../src/tui/screen-suspend.js';

describe('coming back from a stop', () => {
  let suspender: Suspender | undefined;
  afterEach(() => suspender?.close());

  it('leaves one listener for the next stop, however often it is told to go on', () => {
    const before = process.listenerCount('SIGTSTP');
    const done: string[] = [];
    suspender = new Suspender({ leave: () => done.push('leave'), enter: () => done.push('enter') });
    for (let time = 0; time < 3; time++) process.emit('SIGCONT', 'SIGCONT');
    expect(process.listenerCount('SIGTSTP')).toBe(before + 1);
    expect(done).toEqual(['leave', 'enter', 'leave', 'enter', 'leave', 'enter']);
    suspender.close();
    expect(process.listenerCount('SIGTSTP')).toBe(before);
  });
});
