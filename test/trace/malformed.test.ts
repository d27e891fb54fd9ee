import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SockwatchError } from '../../src/model/errors.js';
import { sharedDir, sharedMissing } from '../support/shared.js';
import { traceFiles } from '../support/trace.js';

const folder = join(sharedDir ?? '', 'captures/malformed');
const names = sharedDir === undefined ? [] : readdirSync(folder).filter((name) => !name.endsWith('.md'));

describe.skipIf(sharedMissing)(
  `broken captures${sharedMissing ? ` (skipped: ${sharedMissing})` : ''}`,
  () => {
    it('are many', () => expect(names.length).toBeGreaterThan(100));

    it.each(names)('%s ends in a result or a clear error', async (name) => {
      const before = process.memoryUsage().rss;
      try {
        const { info, result } = await traceFiles([join(folder, name)]);
        expect(result.summary.packets).toBe(info.packets);
        const { fault } = info.files[0] ?? {};
        if (fault !== undefined) expect(fault.message).not.toBe('');
      } catch (error) {
        expect(error).toBeInstanceOf(SockwatchError);
      }
      expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    });
  },
);
