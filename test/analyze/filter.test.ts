import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { selectRows } from '../../src/analyze/sort.js';
import type { ListenerReport } from '../../src/model/listener.js';
import { cpuMillis } from '../support/cpu-time.js';
import { buildTable, listen, type RowSpec, waiting } from '../support/table-builder.js';
import { ip, listenerReport } from '../tui/sample-reports.js';

const nginx = [{ pid: 812, fd: 6, name: 'nginx' }];
const ROWS: Readonly<Record<string, RowSpec>> = {
  web: {
    local: '10.0.0.1:443',
    remote: '192.0.2.7:40112',
    owners: nginx,
    queues: [700, 0],
    columns: { inode: 91, uid: 0, rttMs: 80 },
  },
  waits: waiting('10.0.0.1:443', '198.51.100.9:5000', 2500),
  young: waiting('10.0.0.1:8080', '198.51.100.9:5001', 20),
  db: {
    local: '10.0.0.1:40200',
    remote: '10.9.8.7:3306',
    owners: [{ pid: 77, fd: 4, name: 'Java app' }],
    queues: [0, 100],
    columns: { inode: 92, uid: 1000, rttMs: 0.4 },
  },
  old: { local: '10.0.0.1:443', remote: '192.0.2.8:40113', state: 'time-wait', columns: { inode: 0 } },
  v6: { local: '[2001:db8::1]:443', remote: '[2001:db8::2]:9000', queues: null },
  dns: { protocol: 'udp', state: 'unconnected', local: '127.0.0.1%lo:53' },
  bus: {
    protocol: 'unix',
    state: 'unconnected',
    local: '/run/dbus.sock',
    remote: '',
    owners: [{ pid: 5, fd: 3, name: 'dbus' }],
  },
  listener: listen('0.0.0.0:443', [5, 128], { inode: 7 }),
};
const NAMES = Object.keys(ROWS);
const table = buildTable(Object.values(ROWS));
const select = (text: string): string =>
  [...selectRows(table, parseFilter(text))].map((row) => NAMES[row]).join(' ');

describe('a filter over sockets', () => {
  test.each([
    ['', 'web waits young db old v6 dns bus'],
    ['port:443', 'web waits old v6'],
    ['port:3306', 'db'],
    ['lport:3306', ''],
    ['rport:3306', 'db'],
    ['port:53,3306', 'db dns'],
    ['lport:8000-8099', 'young'],
    ['port>=9000 proto:tcp', 'web db old v6'],
    ['-port:443', 'young db dns bus'],
    ['-rport:3306', 'web waits young old v6 dns bus'],
    ['state:established', 'web waits young db v6'],
    ['state:ESTAB', 'web waits young db v6'],
    ['state:time_wait,unconn', 'old dns bus'],
    ['state:tim', 'old'],
    ['port:443 -state:time-wait', 'web waits v6'],
    ['process:NGINX', 'web'],
    ['proc:"java app"', 'db'],
    ['pid:77,5', 'db bus'],
    ['local:10.0.0.1', 'web waits young db old'],
    ['remote:10.0.0.0/8', 'db'],
    ['remote:192.0.2.0/30', ''],
    ['remote:192.0.2.4/30', 'web'],
    ['remote:0.0.0.0/0', 'web waits young db old'],
    ['remote:2001:db8::/32', 'v6'],
    ['remote:[2001:db8::2]', 'v6'],
    ['remote:2001:db8::3', ''],
    ['remote:::/0', 'v6'],
    ['remote:::ffff:10.0.0.0/104', 'db'],
    ['remote:10.0.0.0/8,198.51.100.9', 'waits young db'],
    ['recvq>0', 'web'],
    ['recvq>=700', 'web'],
    ['recvq:700', 'web'],
    ['sendq>99 sendq<=100', 'db'],
    ['rtt>50', 'web'],
    ['rtt<1ms', 'db'],
    ['rtt>0.3ms rtt<500us', 'db'],
    ['wait>1s', 'waits'],
    ['wait<=0.02s', 'young'],
    ['waiting:yes', 'waits young'],
    ['waiting:no', 'web db old dns bus'],
    ['proto:udp', 'dns'],
    ['proto:unix,udp', 'dns bus'],
    ['uid:0', 'web'],
    ['inode:91-92', 'web db'],
    ['nginx', 'web'],
    ['"java app"', 'db'],
    ['198.51.100.9:5', 'waits young'],
    ['[2001:DB8::1]:443', 'v6'],
    ['2001:db8::2', 'v6'],
    ['%lo', 'dns'],
    ['"/run/dbus"', 'bus'],
    ['/^tcp established .* nginx\\/812$/', 'web'],
    ['/\\/run\\//', 'bus'],
    ['/192\\.0\\.2\\.[78]:/ state:established', 'web'],
  ])('%s', (text, expected) => expect(select(text)).toBe(expected));

  test('keeps its text, without the spaces around it', () => {
    expect(parseFilter('  port:443 nginx ').text).toBe('port:443 nginx');
  });
});

describe('unknown is neither', () => {
  test.each([
    // Owners of waiting sockets are known to be none; those of young, v6, dns and the listener are unknown.
    ['process:nginx', '-process:nginx', 'v6 dns'],
    ['pid:812', '-pid:812', 'v6 dns'],
    ['rtt>50', '-rtt>50', 'waits young old v6 dns bus'],
    ['uid:0', '-uid:0', 'waits young old v6 dns bus'],
    ['recvq>0', '-recvq>0', 'v6'],
    ['waiting:yes', '-waiting:yes', 'v6'],
    ['wait>1s', '-wait>1s', 'v6'],
    ['verdict:full', '-verdict:full', 'web waits young db old v6 dns bus'],
    ['fill>0', '-fill>0', 'web waits young db old v6 dns bus'],
    ['nginx', '-nginx', 'v6 dns'],
    ['/nginx/', '-/nginx/', 'v6 dns'],
    // An address is in nobody's name.
    ['198.51', '-198.51', ''],
  ])('%s and %s leave out %s', (yes, no, expected) => {
    const shown = new Set([...select(yes).split(' '), ...select(no).split(' ')]);
    expect(
      select('')
        .split(' ')
        .filter((name) => !shown.has(name))
        .join(' '),
    ).toBe(expected);
  });

  test('a port whose name no table resolves, and a state that is not known', () => {
    const odd = buildTable([{ local: '10.0.0.1:*', remote: '10.0.0.2:80', state: 'unknown' }]);
    const count = (text: string) => selectRows(odd, parseFilter(text)).length;
    expect(['port:443', '-port:443', '-lport:443', 'state:close', '-state:close'].map(count)).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(['port:80', '-port:80', 'state:unknown', '-rport:443'].map(count)).toEqual([1, 0, 1, 1]);
  });
});

describe('a filter over listeners', () => {
  const full = listenerReport(
    { local: ip('0.0.0.0:443'), length: 129, backlog: 128, owners: nginx, verdict: 'full', oldestMs: 4100 },
    0,
  );
  const idle = listenerReport({ local: ip('[::1]:8080'), length: 0, backlog: 9 }, 1);
  const unlimited = listenerReport({ local: ip('127.0.0.1:25'), length: 2, verdict: 'unknown_limit' }, 2);
  const reports: Readonly<Record<string, ListenerReport>> = { full, idle, unlimited };
  const matching = (text: string): string =>
    Object.keys(reports)
      .filter((name) => parseFilter(text).matchesListener(reports[name] ?? full))
      .join(' ');

  test.each([
    ['port:443', 'full'],
    ['lport:8080,25', 'idle unlimited'],
    ['rport:443', ''],
    ['-rport:443 -remote:10.0.0.0/8', 'full idle unlimited'],
    ['state:listen', 'full idle unlimited'],
    ['state:established', ''],
    ['recvq>0', 'full unlimited'],
    ['-recvq>0', 'idle'],
    ['sendq>0', ''],
    ['-sendq>0', ''],
    ['waiting:yes', 'full unlimited'],
    ['wait>4s', 'full'],
    ['-wait>4s', 'idle'],
    ['verdict:full,ok', 'full idle'],
    ['verdict:unknown-limit', 'unlimited'],
    ['-verdict:ok', 'full unlimited'],
    ['fill>0.5', 'full'],
    ['fill>=100%', 'full'],
    ['-fill>50%', 'idle'],
    ['process:nginx', 'full'],
    ['-process:nginx', ''],
    ['local:::1', 'idle'],
    ['local:127.0.0.0/8', 'unlimited'],
    ['inode:81201', 'idle'],
    ['rtt>1', ''],
    ['-rtt>1', ''],
    ['proto:tcp 127.0.', 'unlimited'],
    ['/^tcp listen 0\\.0\\.0\\.0:443 nginx/', 'full'],
  ])('%s', (text, expected) => expect(matching(text)).toBe(expected));
});

describe('laws', () => {
  const term = fc.constantFrom(
    ...['port:443', 'state:established', 'nginx', 'recvq>0', 'remote:10.0.0.0/8', 'rtt>50', 'waiting:yes'],
    ...['/tcp/', 'uid:0', 'wait<1s', 'proto:tcp', 'pid:812', 'inode:0-91'],
  );
  const filter = fc
    .array(fc.tuple(fc.constantFrom('', '-'), term), { minLength: 1, maxLength: 4 })
    .map((terms) => terms.map((parts) => parts.join('')).join(' '));
  const rows = (text: string) => [...selectRows(table, parseFilter(text))];

  test('two filters in one are their intersection, in either order', () => {
    fc.assert(
      fc.property(filter, filter, (f, g) => {
        const inG = new Set(rows(g));
        const both = rows(f).filter((row) => inG.has(row));
        expect(rows(`${f} ${g}`)).toEqual(both);
        expect(rows(`${g} ${f}`)).toEqual(both);
      }),
    );
  });

  test('no row matches a term and its negation', () => {
    fc.assert(
      fc.property(term, (one) => {
        expect(rows(`${one} -${one}`)).toEqual([]);
      }),
    );
  });
});

test('100,000 rows are filtered by columns without a pause', () => {
  const specs = Object.values(ROWS);
  const big = buildTable(Array.from({ length: 100_000 }, (_, at) => specs[at % specs.length] ?? {}));
  const filter = parseFilter('port:443 -state:time-wait remote:192.0.2.0/24 recvq>0');
  const times = [1, 2, 3].map(() => {
    const start = cpuMillis();
    expect(selectRows(big, filter)).toHaveLength(11_112);
    return cpuMillis() - start;
  });
  // About 10 ms; the bound only catches work of another order, as text for each row.
  expect(Math.min(...times)).toBeLessThan(100);
});
