import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import { parseText, read, readRow } from './support.js';

describe('columns', () => {
  const ENDS = '10.0.0.1:80 10.0.0.2:4000';
  it.each([
    ['Netid and State', `tcp ESTAB 7 9 ${ENDS}`, 'established'],
    ['State alone', `ESTAB 7 9 ${ENDS}`, 'established'],
    ['Netid alone', `tcp 7 9 ${ENDS}`, 'unknown'],
    ['neither', `7 9 ${ENDS}`, 'unknown'],
    ['an indent that somebody added', `   ESTAB 7 9 ${ENDS}`, 'established'],
    ['an indent and no State', `    7 9 ${ENDS}`, 'unknown'],
    ['a carriage return', `ESTAB 7 9 ${ENDS}\r`, 'established'],
  ])('may be %s', (_, line, state) => {
    expect(readRow(`${line}\n`)).toEqual({
      protocol: 'tcp',
      state,
      local: '10.0.0.1:80',
      remote: '10.0.0.2:4000',
      family: 4,
      queues: '7 bytes unread, 9 unacked',
    });
  });

  it('have no queues with -Q: they are unknown, not 0', () => {
    expect(readRow(`ESTAB ${ENDS}\n`)).not.toHaveProperty('queues');
  });

  it.each([
    ['tcp 0 5 10.0.0.1:80 0.0.0.0:*', 'listen'],
    ['udp 0 0 10.0.0.1:53 0.0.0.0:*', 'unconnected'],
    ['udp 0 0 10.0.0.1:53 10.0.0.2:9', 'established'],
    ['u_str 0 5 /run/a 123 * 0', 'listen'],
    ['u_str 0 0 /run/a 123 * 124', 'unknown'],
  ])('without a State tell it only as far as the peer does: %s', (line, state) => {
    expect(readRow(`${line}\n`).state).toBe(state);
  });

  it.each([
    ['SYN-SENT', 'syn-sent'],
    ['SYN-RECV', 'syn-recv'],
    ['FIN-WAIT-1', 'fin-wait-1'],
    ['FIN-WAIT-2', 'fin-wait-2'],
    ['TIME-WAIT', 'time-wait'],
    ['UNCONN', 'unconnected'],
    ['CLOSE-WAIT', 'close-wait'],
    ['LAST-ACK', 'last-ack'],
    ['CLOSING', 'closing'],
  ])('call a state %s', (word, state) => expect(readRow(`tcp ${word} 0 0 ${ENDS}\n`).state).toBe(state));

  it('keep the protocol that the caller knows where there is no Netid', () => {
    expect(readRow(`ESTAB 0 0 ${ENDS}\n`, { protocol: 'mptcp' }).protocol).toBe('mptcp');
    expect(readRow('UNCONN 0 0 10.0.0.1:9 0.0.0.0:*\n', { protocol: 'tcp' }).protocol).toBe('tcp');
  });

  it('without a Netid are UDP where all are UNCONN or ESTAB, and raw where a port is icmp', () => {
    const udp = 'UNCONN 0 0 10.0.0.1:53 0.0.0.0:*\nESTAB 0 0 10.0.0.1:9 10.0.0.2:53\n';
    expect(read(udp).rows.map(({ protocol }) => protocol)).toEqual(['udp', 'udp']);
    expect(read(`${udp}TIME-WAIT 0 0 ${ENDS}\n`).rows[0]?.protocol).toBe('tcp');
    expect(readRow('UNCONN 0 0 0.0.0.0:icmp 0.0.0.0:*\n').protocol).toBe('raw');
  });

  it('without a Netid are MPTCP where mptcp_info says so', () => {
    const text =
      'LISTEN 1 4 *:80 *:* ino:1 sk:2 v6only:0 <->\n\t skmem:(r0,rb1,t0,tb2,f0,w0,o0,bl0,d0) subflows_max:2 remote_key token:7ae\n';
    expect(readRow(text)).toMatchObject({ protocol: 'mptcp', state: 'listen', flags: 'localDualStack' });
  });
});

describe('lines that are no sockets', () => {
  const ROW = 'ESTAB 0 0 10.0.0.1:80 10.0.0.2:9';

  it('passes over headers, notes, noise and blank lines', () => {
    const text = `# a note\n\nState Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\nFailed to find cgroup2 mount\n${ROW}\n \t \nRTNETLINK answers: Invalid argument\n\t rto:204\n`;
    expect(readRow(text)).toMatchObject({ rtoMs: 204 });
  });

  it('joins details on lines of their own to the row before, with a tab, blanks or neither', () => {
    expect(readRow(`${ROW} ino:5\n\t skmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8,d9)\n`)).toMatchObject({
      inode: 5,
      drops: 9,
    });
    expect(readRow(`${ROW}\n      rto:201\n`)).toMatchObject({ rtoMs: 201 });
    expect(readRow(`${ROW}\nskmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8) cubic rto:201\n`)).toMatchObject({
      memForward: 5,
      rtoMs: 201,
    });
  });

  it('makes gaps of others, and says their number', () => {
    expect(read(`${ROW}\nwhat is this\n${ROW}\n`)).toMatchObject({
      rows: [{}, {}],
      gaps: [{ what: 'ss line 2', why: 'expected a socket of ss, got "what is this"', line: 2 }],
    });
    expect(read(`State Recv-Q Send-Q Local Address:Port Peer Address:Port\n\t rto:1\n`).gaps).toEqual([
      { what: 'ss line 2', why: 'expected a socket of ss, got "\\t rto:1"', line: 2 },
    ]);
  });

  it('says once which kinds of socket it leaves out, and that their details belong to them', () => {
    const text = `nl UNCONN 0 0 rtnl:kernel *\nnl UNCONN 0 0 4:0 *\nsctp LISTEN 0 5 0.0.0.0:9 0.0.0.0:*\n\t rto:1\n  \`- ESTAB 0 0 10.0.0.1:9 10.0.0.2:9\ntcp ${ROW}\n`;
    expect(read(text)).toMatchObject({
      rows: [{ local: '10.0.0.1:80' }],
      gaps: [
        { what: 'nl sockets', why: 'left out 2 of them: sockwatch does not read this kind', line: 1 },
        { what: 'sctp sockets', why: 'left out 1 of them: sockwatch does not read this kind', line: 3 },
      ],
    });
    expect(read(text).rows[0]).not.toHaveProperty('rtoMs');
  });

  it('lists 1000 gaps and then how many more there are', () => {
    const { gaps } = read(ROW + '\nx y\n'.repeat(1200));
    expect(gaps).toHaveLength(1001);
    expect(gaps[1000]).toEqual({ what: 'ss', why: '200 more lines could not be read' });
  });

  it('makes a gap of a value that its tag cannot have', () => {
    const { rows, gaps } = read(`${ROW} timer:(on,5parsec,0) ino:x rto:204 skmem:(rx)\n`);
    expect(rows[0]).toMatchObject({ rtoMs: 204 });
    expect(gaps.map(({ why }) => why)).toEqual([
      'expected a value of timer, got "timer:(on,5parsec,0) ino:x rto:204 skmem:(rx)"',
      'expected a value of ino, got "ino:x rto:204 skmem:(rx)"',
      'expected a value of skmem, got "skmem:(rx)"',
    ]);
  });

  it('gives up a line of more than 1 MiB, and reads the next', () => {
    const { rows, gaps } = read(`${ROW} ${'x'.repeat(1 << 20)}\n\t rto:1\n${ROW} ino:6\n`);
    expect(rows).toMatchObject([{ inode: 6 }]);
    expect(gaps).toMatchObject([
      { line: 1, why: expect.stringContaining('expected a line of at most 1048576 bytes') },
    ]);
  });
});

describe('text that is not of ss', () => {
  it.each([
    ['Total: 54\nTCP:   56 (estab 27)\n', 'Total: 54'],
    ["ss: invalid option -- 'B'\nUsage: ss [ OPTIONS ]\n", "ss: invalid option -- 'B'"],
    ['hello\n', 'hello'],
    ['\u0000\u0001', '\\u0000\\u0001'],
    [
      'Proto Recv-Q Send-Q Local Address           Foreign Address         State\ntcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN\n',
      'Proto Recv-Q',
    ],
  ])('raises ParseError for %j', (text, got) => {
    expect(() => parseText(text)).toThrow(ParseError);
    expect(() => parseText(text)).toThrow(
      `ss output: expected a header or a socket as ss prints them, got "${got}`,
    );
  });

  it.each([
    '',
    '\n\n',
    '# only a note\n',
    'Failed to find cgroup2 mount\n',
    'State Recv-Q Send-Q Local Address:Port Peer Address:Port\n',
  ])('is none, but no error either: %j', (text) => expect(read(text)).toEqual({ rows: [], gaps: [] }));
});
