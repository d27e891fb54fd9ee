import { describe, expect, it } from 'vitest';
import { LookPlan } from '../../src/collect/look-plan.js';

const facts = { sockets: 100_000, hasTrouble: false, givesParts: true };

describe('LookPlan', () => {
  it('reads the whole table at every tick while that takes a fifth of it or less', () => {
    const plan = new LookPlan('all');
    for (let now = 0; now < 5000; now += 1000) {
      expect(plan.next(now, facts)).toBe('complete');
      plan.completed(now, 200);
    }
  });

  it('reads the whole table less often once it takes more, and the listeners between', () => {
    const plan = new LookPlan('all');
    const kinds = Array.from({ length: 9 }, (_, tick) => {
      const kind = plan.next(tick * 1000, facts);
      if (kind === 'complete') plan.completed(tick * 1000, 700);
      return kind;
    });
    // 700 ms is a fifth of 3.5 s: every fourth tick of 1 s.
    expect(kinds.map((kind) => kind?.[0]).join('')).toBe('clllclllc');
  });

  it('asks for the ports with waiting connections between whole tables', () => {
    const plan = new LookPlan('all');
    expect(plan.next(0, facts)).toBe('complete');
    plan.completed(0, 800);
    expect(plan.next(1000, { ...facts, hasTrouble: true })).toBe('ports');
    expect(plan.next(2000, facts)).toBe('listeners');
    expect(plan.next(4000, facts)).toBe('complete');
  });

  it('asks for connections only where some queue is not empty, when that is all the caller wants', () => {
    const plan = new LookPlan('troubled');
    expect(plan.next(0, facts)).toBe('listeners');
    expect(plan.next(1000, { ...facts, hasTrouble: true })).toBe('complete');
    plan.completed(1000, 600);
    expect(plan.next(2000, { ...facts, hasTrouble: true })).toBe('ports');
  });

  it('asks for everything on a small host', () => {
    const plan = new LookPlan('troubled');
    plan.completed(0, 60_000);
    expect(plan.next(1, { ...facts, sockets: 300 })).toBe('complete');
    expect(plan.next(1, { ...facts, sockets: undefined })).toBe('listeners');
  });

  it('never asks for connections when only listeners are wanted', () => {
    expect(new LookPlan('listeners').next(0, { ...facts, hasTrouble: true })).toBe('listeners');
  });

  it('leaves ticks out where the source gives no parts and the whole costs too much', () => {
    const plan = new LookPlan('all');
    expect(plan.next(0, { ...facts, givesParts: false })).toBe('complete');
    plan.completed(0, 400);
    expect(plan.next(1000, { ...facts, givesParts: false })).toBeUndefined();
    expect(plan.next(2000, { ...facts, givesParts: false })).toBe('complete');
  });
});
