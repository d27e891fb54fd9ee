import { oneLine } from '../render/check/headline.js';
import { nagiosUnknown } from '../render/check/nagios.js';
import { prometheusText } from '../render/check/prometheus.js';
import type { CheckFormat } from './check-formats.js';

/** What a run says that could not judge: wrong usage, a fault, a time-out. */
export function formatUnknown(why: string, format: CheckFormat, version: string, time: number): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({
        schema: 'sockwatch.check/1',
        time: new Date(time).toISOString(),
        status: 'unknown',
        exit_code: 3,
        summary: why,
        items: [],
        notes: [],
      })}\n`;
    case 'prometheus':
      return prometheusText({ version, time });
    case 'text':
      return `UNKNOWN: ${oneLine(why)}\n`;
    case 'nagios':
      return nagiosUnknown(why);
  }
}
