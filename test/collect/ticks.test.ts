import { describe, expect, it } from 'vitest';
import { Ticks } from '../../src/collect/ticks.js';

describe('Ticks', () => {
  it('starts at once and keeps to its grid', () => {
    const ticks = new Ticks(5000, 1000);
    expect(ticks.remaining(5000, 1000)).toBe(0);
    expect(ticks.take()).toBe(0);
    ticks.plan(5120, 1000);
    expect(ticks.remaining(5120, 1000)).toBe(880);
    expect(ticks.take()).toBe(0);
    ticks.plan(6010, 1000);
    expect(ticks.remaining(6010, 1000)).toBe(990);
  });

  it('leaves late ticks out and counts them', () => {
    const ticks = new Ticks(0, 1000);
    ticks.take();
    ticks.plan(2300, 1000);
    expect(ticks.remaining(2300, 1000)).toBe(700);
    expect(ticks.take()).toBe(2);
  });

  it('does not leave out the tick that is due to the millisecond', () => {
    const ticks = new Ticks(0, 1000);
    ticks.take();
    ticks.plan(1000, 1000);
    expect(ticks.remaining(1000, 1000)).toBe(0);
    expect(ticks.take()).toBe(0);
  });

  it('follows a change of the interval while it waits', () => {
    const ticks = new Ticks(0, 5000);
    ticks.take();
    ticks.plan(100, 5000);
    expect(ticks.remaining(100, 5000)).toBe(4900);
    expect(ticks.remaining(150, 200)).toBe(50);
    expect(ticks.take()).toBe(0);
  });

  it('waits longer where the caller backs off', () => {
    const ticks = new Ticks(0, 100);
    ticks.take();
    ticks.plan(10, 100, 750);
    expect(ticks.remaining(10, 100)).toBe(790);
  });

  it('starts a new grid after a pause, without counting it', () => {
    const ticks = new Ticks(0, 1000);
    ticks.take();
    ticks.plan(100, 1000);
    ticks.restart(60_500);
    expect(ticks.remaining(60_500, 1000)).toBe(0);
    expect(ticks.take()).toBe(0);
  });
});
