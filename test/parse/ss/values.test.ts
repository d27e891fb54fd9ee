import { describe, expect, it } from 'vitest';
import { parseText, read, readRow } from './support.js';

const ROW = 'ESTAB 0 0 10.0.0.1:80 10.0.0.2:9';

describe('timers', () => {
  it.each([
    ['(keepalive,728ms,0)', 'keepalive 728 ms, 0'],
    ['(keepalive,028ms,0)', 'keepalive 28 ms, 0'],
    ['(keepalive,8.320ms,0)', 'keepalive 8320 ms, 0'], // the unit trap: seconds
    ['(keepalive,8.320sec,0)', 'keepalive 8320 ms, 0'],
    ['(on,1.595ms,3)', 'on 1595 ms, 3'],
    ['(timewait,29sec,0)', 'timewait 29000 ms, 0'],
    ['(timewait,1min59sec,0)', 'timewait 119000 ms, 0'],
    ['(keepalive,118min,0)', 'keepalive 7080000 ms, 0'],
    ['(on,,0)', 'on 0 ms, 0'],
    ['(persist,12sec,7)', 'persist 12000 ms, 7'],
    ['(delack,40ms,0)', 'delack 40 ms, 0'],
    ['(unknown,1sec,0)', 'unknown 1000 ms, 0'],
    ['(rack,1sec,0)', 'unknown 1000 ms, 0'], // one that a later kernel may have
  ])('reads %s', (timer, shown) => expect(readRow(`${ROW} timer:${timer}\n`).timer).toBe(shown));

  it.each([
    '(',
    '(on',
    '(on,',
    '(on,(',
    '(on,5',
    '(on,5ms',
    '(on,5ms,',
    '(on,5ms,0',
    '(on,.5ms,0)',
    '(on,5.ms,0)',
    '(on,5xx,0)',
    '(a),(',
    'on',
  ])('makes a gap of %s', (timer) => {
    const { rows, gaps } = read(`${ROW} timer:${timer}\n`);
    expect(rows[0]).not.toHaveProperty('timer');
    expect(gaps.map(({ why }) => why)).toEqual([`expected a value of timer, got "timer:${timer}"`]);
  });

  it('says nothing where there is none', () => expect(readRow(`${ROW}\n`).timer).toBeUndefined());
});

describe('skmem', () => {
  it('is read with d and without', () => {
    expect(readRow(`${ROW} skmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8,d9)\n`)).toMatchObject({
      memReceive: 1,
      memReceiveLimit: 2,
      memSend: 3,
      memSendLimit: 4,
      memForward: 5,
      memWriteQueue: 6,
      memOption: 7,
      memBacklog: 8,
      drops: 9,
    });
    const old = readRow(`${ROW} skmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8)\n`);
    expect(old).toMatchObject({ memBacklog: 8 });
    expect(old).not.toHaveProperty('drops');
  });

  it('holds signed numbers, and a counter of drops that is not', () => {
    expect(readRow(`${ROW} skmem:(r0,rb87380,t0,tb87380,f4294966016,w0,o0,bl0,d4294967295)\n`)).toMatchObject(
      {
        memForward: -1280,
        drops: 4294967295,
      },
    );
  });
});

describe('tags', () => {
  it.each([
    ['sk:3f70b', '3f70b'],
    ['sk:ffff88003d2b4000', 'ffff88003d2b4000'], // the socket's address, from old kernels
    ['sk:100000000', '100000000'],
    ['sk:0', undefined],
    ['', undefined],
  ])('cookie of "%s" is %s', (tag, cookie) => expect(readRow(`${ROW} ${tag}\n`).cookie).toBe(cookie));

  it('rates are bits per second, in words of any age', () => {
    expect(
      readRow(`${ROW} send 656.3Kbps pacing_rate 1.2Mbps/3.4Mbps delivery_rate 261932000000bps\n`),
    ).toMatchObject({
      sendRateBps: 656300,
      pacingRateBps: 1200000,
      deliveryRateBps: 261932000000,
    });
  });

  it('numbers are those of %g', () => {
    expect(readRow(`${ROW} rtt:1e-05/2.5e+06 minrtt:0.006 rto:1e+06 busy:42494ms\n`)).toMatchObject({
      rttMs: 1e-5,
      rttVarMs: 2.5e6,
      minRttMs: 0.006,
      rtoMs: 1e6,
      busyMs: 42494,
    });
  });

  it('of tcp_info each have their column', () => {
    const tags =
      'cwnd:10 ssthresh:7 mss:1448 pmtu:1500 bytes_sent:1 bytes_retrans:2 bytes_acked:3 bytes_received:4 segs_out:5 segs_in:6 data_segs_out:7 data_segs_in:8 unacked:9 retrans:10/11 lost:12 notsent:13 backoff:14 rcv_space:15 app_limited tcp-ulp-mptcp flags:Mec';
    expect(readRow(`${ROW} ${tags}\n`)).toMatchObject({
      congestionWindow: 10,
      slowStartThreshold: 7,
      mss: 1448,
      pathMtu: 1500,
      bytesSent: 1,
      bytesRetransmitted: 2,
      bytesAcked: 3,
      bytesReceived: 4,
      segmentsOut: 5,
      segmentsIn: 6,
      dataSegmentsOut: 7,
      dataSegmentsIn: 8,
      unacked: 9,
      retransmitsNow: 10,
      retransmitsTotal: 11,
      lost: 12,
      notSent: 13,
      backoff: 14,
      receiveSpace: 15,
      flags: 'mptcpSubflow appLimited',
    });
  });

  it('unacked of a listener is the length of its queue again, so it is no number of segments', () => {
    expect(readRow('LISTEN 3 5 10.0.0.1:80 0.0.0.0:* sk:1 unacked:3 cwnd:10\n')).not.toHaveProperty(
      'unacked',
    );
  });

  it('a missing age is 0 ms where the row has tcp_info, and unknown where it has none or ss is too old', () => {
    expect(readRow(`${ROW} rto:204 mss:1448 pmtu:1500 lastrcv:3\n`)).toMatchObject({
      lastSentMs: 0,
      lastReceivedMs: 3,
      lastAckMs: 0,
    });
    expect(readRow(`${ROW} mss:1448 pmtu:1500\n`)).toMatchObject({ lastSentMs: 0 }); // an rto of 3 s is not printed
    expect(readRow(`${ROW} ino:5\n`)).not.toHaveProperty('lastSentMs');
    expect(
      readRow(`${ROW} cubic wscale:7,10 rto:458 rtt:176/45 mss:1448 cwnd:10 send 656.3Kbps\n`),
    ).not.toHaveProperty('lastSentMs');
    expect(
      readRow('LISTEN 0 5 10.0.0.1:80 0.0.0.0:* ino:1 sk:1 rto:1000 mss:536 segs_in:1\n'),
    ).not.toHaveProperty('lastSentMs');
  });

  it('a missing window of the peer is 0 where this ss and its kernel know windows, and unknown where nothing shows that they do', () => {
    const info = 'rto:204 mss:1448';
    const another = `ESTAB 0 0 10.0.0.1:81 10.0.0.9:1 ${info} snd_wnd:65536\n`;
    expect(readRow(`${ROW} ${info} rcv_wnd:65536\n`)).toMatchObject({ sendWindow: 0 });
    expect(readRow(`${ROW} ${info} rehash:1\n`)).toMatchObject({ sendWindow: 0 });
    expect(read(`${ROW} ${info}\n${another}`).rows[0]).toMatchObject({ sendWindow: 0 });
    expect(readRow(`${ROW} ${info}\n`)).not.toHaveProperty('sendWindow');
    expect(read(`${ROW} ino:5\n${another}`).rows[0]).not.toHaveProperty('sendWindow');
    // Nobody has announced one yet.
    expect(
      read(`SYN-SENT 0 1 10.0.0.1:80 10.0.0.9:1 ${info} rcv_wnd:65536\n${another}`).rows[0],
    ).not.toHaveProperty('sendWindow');
  });

  it('a socket of root has an inode and no uid', () => {
    expect(readRow(`${ROW} ino:5 sk:1\n`)).toMatchObject({ uid: 0 });
    expect(readRow(`${ROW} uid:1000 ino:5 sk:1\n`)).toMatchObject({ uid: 1000 });
    expect(readRow(`${ROW} ino:0 sk:1\n`)).not.toHaveProperty('uid');
  });

  it('of a cgroup whose path has blanks are not taken for others', () => {
    const row = readRow(`${ROW} ino:5 sk:1 cgroup:/a b ino:9 rto:7 <-> rto:204\n`);
    expect(row).toMatchObject({ inode: 5, rtoMs: 204 });
  });
});

describe('the limit of a listener', () => {
  const listeners = (...tails: string[]) =>
    parseText(
      tails
        .map(
          (tail, index) =>
            `tcp LISTEN 0 ${tail.startsWith('q') ? 9 : 0} 10.0.0.1:${80 + index} 0.0.0.0:* ${tail}\n`,
        )
        .join(''),
    );
  const limits = (...tails: string[]) => {
    const { sockets } = listeners(...tails);
    return Array.from({ length: sockets.length }, (_, row) => {
      const queues = sockets.row(row).queues;
      return queues?.kind === 'listener' ? queues.backlog : 'no listener';
    });
  };

  it('is unknown where every Send-Q is 0 and the row has no cookie and no skmem: ss has read /proc', () => {
    expect(limits('ino:5', '')).toEqual([undefined, undefined]);
    expect(limits('ino:5', 'ino:6 sk:0')).toEqual([undefined, undefined]);
  });

  it('is a backlog of 0 where one of these is there', () => {
    expect(limits('sk:1f', 'skmem:(r0,rb1,t0,tb1,f0,w0,o0,bl0,d0)', 'ino:5')).toEqual([0, 0, undefined]);
    expect(limits('ino:5', 'q')).toEqual([0, 9]);
  });

  it('of Unix sockets is decided by Unix sockets alone', () => {
    const { sockets } = parseText('u_str LISTEN 0 0 /a 1 * 0\ntcp LISTEN 0 5 10.0.0.1:80 0.0.0.0:*\n');
    expect(sockets.row(0).queues).toEqual({ kind: 'listener', length: 0 });
    expect(sockets.row(1).queues).toEqual({ kind: 'listener', length: 0, backlog: 5 });
  });
});
