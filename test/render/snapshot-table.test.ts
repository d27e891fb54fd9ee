import { describe, expect, it } from 'vitest';
import { toSnapshotJson } from '../../src/render/json.js';
import { snapshotTable } from '../../src/render/snapshot-table.js';
import { displayWidth } from '../../src/render/text.js';
import { allRows, full, sampleReport } from './sample.js';

const plain = { color: false, listeners: true };
const table = (options: Parameters<typeof snapshotTable>[1], report = sampleReport()) =>
  [...snapshotTable(report, options)].join('');

describe('the table of listeners', () => {
  it('shows fill, wait, drops, verdict and advice, aligned', () => {
    expect(table(plain)).toBe(`\
S   LOCAL             PROCESS       ACCEPT QUEUE         QUEUE  CAPACITY   WAIT  DROPPED  SYN-RECV  VERDICT
!!  0.0.0.0:443       nginx/812 +1  [##########] 100%  129/128       129  4.1 s       37         3  full
    accept queue full: 129 of 128
    -> nginx/812 does not call accept() fast enough: look at its workers
?   127.0.0.53%lo:53  ?             ?                      2/?         ?      ?        ?         ?  unknown limit
ok  @/run/app.sock    -             [#---------]   5%     1/16        17      ?        -         -  ok
ok  [::]:22           ?             [----------]   0%    0/128       129      -        0         0  ok
`);
  });

  it('gives up the least columns and wraps advice in a narrow terminal', () => {
    expect(table({ ...plain, width: 40 })).toBe(`\
S   LOCAL              QUEUE  VERDICT
!!  0.0.0.0:443      129/128  full
    accept queue full: 129 of 128
    -> nginx/812 does not call accept()
    fast enough: look at its workers
?   127.0.0.53%lo:…      2/?  unknown limit
ok  @/run/app.sock      1/16  ok
ok  [::]:22            0/128  ok
`);
  });

  it('gives up minor columns before it cuts names', () => {
    const lines = table({ ...plain, width: 100 }).split('\n');
    expect(lines[0]).toBe(
      'S   LOCAL             PROCESS       ACCEPT QUEUE         QUEUE   WAIT  DROPPED  VERDICT',
    );
    expect(lines[1]).toContain('nginx/812 +1');
  });

  it.each([60, 80, 100, 120, 200])('fits %d columns', (width) => {
    for (const line of table({ ...plain, width, connections: allRows }).split('\n')) {
      expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it('aligns wide names by what they take on the screen', () => {
    const [head = '', first = ''] = table(plain, sampleReport({ processName: '日本語' })).split('\n');
    expect(displayWidth(first.slice(0, first.indexOf('[')))).toBe(head.indexOf('ACCEPT'));
  });

  it('marks cuts with ASCII where the terminal has no more', () => {
    expect(table({ ...plain, width: 40, ascii: true })).toContain('127.0.0.53%lo:~');
  });

  it('colours by meaning, and only then has escapes', () => {
    expect(table({ ...plain, color: true })).toContain('\x1b[1;37;41mfull\x1b[0m');
    expect(table(plain)).not.toContain('\x1b');
  });

  it('says what belongs to a SO_REUSEPORT group', () => {
    const [first] = sampleReport().listeners;
    if (first === undefined) throw new Error('the sample has a listener');
    const { synQueue, waiting, ...listener } = first.listener;
    const group = { id: 'g', members: 3, ...(synQueue && { synQueue }), ...(waiting && { waiting }) };
    const report = sampleReport({ listeners: [{ ...first, listener: { ...listener, group } }] });
    expect(table(plain, report)).toMatch(
      /4\.1 s\* +37 +3\*[\s\S]*\n\* of all listeners that share this port/,
    );
  });

  it('says of what another finding explains only that', () => {
    const [first] = sampleReport().listeners;
    if (first === undefined) throw new Error('the sample has a listener');
    const cause = { ...full, rule: 'fd_limit' as const, message: '64 of 64 open', advice: 'raise the limit' };
    const effect = { ...full, causedBy: cause.rule, message: 'full', advice: 'accept faster' };
    const report = sampleReport({ listeners: [{ ...first, findings: [cause, effect] }] });
    const text = table(plain, report);
    expect(text).toContain(
      '    64 of 64 open\n    -> raise the limit\n    full\n    because of fd_limit: mend that first\n',
    );
    expect(text).not.toContain('accept faster');
    const { listeners } = toSnapshotJson(report);
    expect(listeners[0]).toMatchObject({
      findings: ['fd_limit', 'accept_queue_full'],
      caused_by: { accept_queue_full: 'fd_limit' },
      advice: 'raise the limit',
    });
  });

  it('adds findings of the host below', () => {
    const report = {
      ...sampleReport(),
      findings: [{ ...full, severity: 'warning' as const, message: 'SYN cookies are sent', advice: 'look' }],
    };
    expect(table(plain, report)).toMatch(/\n! {3}SYN cookies are sent\n {4}-> look\n$/);
  });

  it('says that there are none', () => {
    expect(table(plain, sampleReport({ listeners: [] }))).toBe('no listeners\n');
  });
});

describe('the table of connections', () => {
  it('shows queues, RTT, drops of UDP and who waits for accept()', () => {
    expect(table({ color: false, listeners: false, connections: allRows })).toBe(`\
PROTO  STATE        LOCAL           REMOTE              RECV-Q  SEND-Q    RTT  DROPS  PROCESS
tcp    established  10.0.0.5:443    198.51.100.7:40112       0   14480  88 ms      -  nginx/812
tcp    established  10.0.0.5:443    203.0.113.9:51022      517       0      -      -  waits for accept()
tcp    established  10.0.0.5:40000  10.0.0.9:3306            0       0      -      -  nginx/812
udp    unconnected  0.0.0.0:53      -                        0       0      -     44  ?
`);
  });

  it('says that there are none', () => {
    expect(table({ color: false, listeners: false, connections: new Uint32Array() })).toBe(
      'no sockets to list\n',
    );
  });
});
