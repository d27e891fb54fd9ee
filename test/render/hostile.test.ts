import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/cli/snapshot-flags.js';
import { writeView } from '../../src/cli/snapshot-output.js';
import { GROUP_KEYS } from '../../src/model/groups-json.js';
import type { Report } from '../../src/model/report.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { Pseudonyms } from '../../src/render/redact.js';
import { allRows, full, sampleReport } from './sample.js';

/** Line ends are the only control characters of an output. */
const FORBIDDEN =
  /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u;

const NAMES = [
  '\x1b]0;owned\x07',
  'a\nb\r\nc',
  '\x9b31m',
  'x",pid=1,fd=3)',
  '\u202egnp.exe',
  '\u200b\ufeff',
  '\ud800',
  '\x00',
  '{"a":1}',
];

/** A report in which every text that comes from outside is the name. */
function hostileReport(name: string): Report {
  const report = sampleReport({ processName: name, host: name });
  const listeners = report.listeners.map((listener) => ({
    ...listener,
    listener: { ...listener.listener, local: { kind: 'unix' as const, path: name } },
    findings: [{ ...full, message: `full: ${name}`, advice: `see ${name}` }],
  }));
  return {
    ...report,
    listeners,
    gaps: [{ what: name, why: `got ${name}` }],
    findings: [{ ...full, message: name }],
  };
}

function outputs(report: Report, names = PLAIN_NAMES): string[] {
  const view = { report, listeners: true, rows: allRows };
  const style = { color: false };
  return FORMATS.flatMap((format) =>
    [undefined, ...GROUP_KEYS].map((by) =>
      [...writeView(view, { format, 'group-by': by }, names, style)].join(''),
    ),
  );
}

describe('names of any kind', () => {
  it.each(NAMES)('%j brings no control character into any format', (name) => {
    for (const output of outputs(hostileReport(name))) expect(output).not.toMatch(FORBIDDEN);
  });

  it('whatever the name, and JSON still says it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 15 }), (name) => {
        const all = outputs(hostileReport(name));
        for (const output of all) expect(output).not.toMatch(FORBIDDEN);
        const json = JSON.parse(
          [
            ...writeView({ report: hostileReport(name), listeners: true }, { format: 'json' }, PLAIN_NAMES, {
              color: false,
            }),
          ].join(''),
        );
        expect(json.host).toBe(name);
        expect(json.listeners[0].owners[0].name).toBe(name);
      }),
      { numRuns: 50 },
    );
  });
});

describe('--redact', () => {
  const secrets = [
    'nginx',
    'web-01',
    '10.0.0.',
    '198.51.100.',
    '203.0.113.',
    '127.0.0.53',
    '/run/app.sock',
    '%lo',
    '0c6f',
    'htpp',
  ];

  it('hides addresses and names in every format', () => {
    for (const output of outputs(sampleReport(), new Pseudonyms())) {
      for (const secret of secrets) expect(output).not.toContain(secret);
    }
  });

  it('hides them in sentences too, whatever their form', () => {
    const names = new Pseudonyms(sampleReport());
    expect(names.sentence('nginx/812 on 10.0.0.9:3306 and [2001:db8::7]:443 of web-01, at 12:04:31')).toBe(
      'process-1/812 on ip-2:3306 and [ip-3]:443 of host-1, at 12:04:31',
    );
    expect(names.sentence('[fe80::1%eth0]:22 and 127.0.0.53%lo:53, at 82 %')).toBe(
      '[ip-4%dev-2]:22 and ip-1%dev-1:53, at 82 %',
    );
    expect(names.sentence('0.0.0.0:443 and nginxy stay')).toBe('0.0.0.0:443 and nginxy stay');
  });

  it('gives the same thing the same pseudonym', () => {
    const [json = ''] = outputs(sampleReport(), new Pseudonyms()).slice(5, 6);
    const said = JSON.parse(json);
    expect(said.listeners[0].local).toBe('0.0.0.0:443');
    expect(said.listeners[0].owners[0].name).toBe(said.connections[0].owners[0].name);
    expect(said.connections[0].local_address).toBe(said.connections[1].local_address);
    expect(said.connections[0].remote_address).not.toBe(said.connections[1].remote_address);
    expect(said.connections[0].remote).toBe(`${said.connections[0].remote_address}:40112`);
  });
});
