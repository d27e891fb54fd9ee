import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import { parseCounters } from '../../../src/parse/proc/counters.js';
import { fixtureDir } from '../golden.js';

const sample = (name: string) => readFileSync(`${fixtureDir}proc/linux-6.18-proc_net_${name}.txt`, 'utf8');

describe('counters of /proc/net/netstat and snmp', () => {
  it('are those of the sample, Tcp and TcpExt by their own names', () => {
    const counters = parseCounters(sample('netstat'), sample('snmp'));
    expect(counters).toMatchObject({
      ListenOverflows: 104,
      ListenDrops: 189,
      SyncookiesSent: 78,
      SyncookiesRecv: 25,
      EmbryonicRsts: 5,
      TW: 18,
      DelayedACKs: 145,
      ActiveOpens: 6041,
      PassiveOpens: 6277,
      EstabResets: 12255,
      CurrEstab: 27,
      RetransSegs: 13,
      OutRsts: 6293,
      MaxConn: -1,
      UdpRcvbufErrors: 44,
      UdpInErrors: 44,
      UdpLiteRcvbufErrors: 0,
      IpInReceives: 25449,
      IpExtInOctets: 1441414,
      IcmpInDestUnreachs: 4,
      IcmpMsgInType3: 4,
      MPTcpExtMPCapableSYNRX: 3,
    });
    expect(counters.InMsgs).toBeUndefined();
  });

  it('are none in empty texts', () => expect(parseCounters('', '\n')).toEqual({}));

  it.each([
    ['Tcp: A B\nTcp: 1\n', '/proc/net/netstat line 2: expected 2 values, got "1 values"'],
    ['Tcp: A\nUdp: 1\n', '/proc/net/netstat line 2: expected the values of Tcp:, got "Udp: 1"'],
    ['Tcp: A\n', '/proc/net/netstat line 2: expected the values of Tcp:, got ""'],
    ['Tcp: A\nTcp: x\n', '/proc/net/netstat line 2: expected a number for A, got "x"'],
  ])('that do not match raise ParseError: %j', (text, message) => {
    expect(() => parseCounters(text, '')).toThrow(ParseError);
    expect(() => parseCounters(text, '')).toThrow(message);
  });
});
