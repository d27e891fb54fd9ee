import { describe, expect, it } from 'vitest';
import { parseServices } from '../../../src/parse/proc/services.js';

describe('services', () => {
  it('are ports by name or alias and protocol; the first of a name wins', () => {
    const text =
      '# comment\nhttp\t\t80/tcp\t\twww web # World Wide Web\nhttp 81/tcp\ndomain 53/udp\nbad\nbig 70000/tcp\nnone x/tcp\n';
    expect([...parseServices(text)]).toEqual([
      ['http/tcp', 80],
      ['www/tcp', 80],
      ['web/tcp', 80],
      ['domain/udp', 53],
    ]);
  });
});
