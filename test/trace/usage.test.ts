import { describe, expect, it } from 'vitest';
import { bytesOf, Conversation, FLAGS, pcap, type Timed } from '../support/packets.js';
import { traceBytes } from '../support/trace.js';

const traced = (...conversations: readonly Conversation[]) => {
  const packets = conversations.flatMap((one) => one.packets).sort((a, b) => a.time - b.time);
  return traceBytes(pcap(packets, { nanoseconds: true }));
};
const only = (conversation: Conversation) => {
  const { connections } = traced(conversation);
  expect(connections).toHaveLength(1);
  const [connection] = connections;
  if (connection === undefined) throw new Error('no connection');
  return connection;
};
const rules = (conversation: Conversation) => only(conversation).findings.map(({ rule }) => rule);
const request = (line = 'GET /a', headers = '') => `${line} HTTP/1.1\r\nHost: example.com\r\n${headers}\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const record = (type: number, ...body: number[]) =>
  String.fromCharCode(type, 3, 3, body.length >> 8, body.length & 255, ...body);
const hello = (type: number, ...rest: number[]) =>
  record(22, type, 0, 0, 35 + rest.length, 3, 3, ...Array<number>(32).fill(7), 0, ...rest);
const CLIENT_HELLO = hello(1, 0, 2, 0x13, 1, 1, 0);
/** Of TLS 1.3: its version stands in an extension. */
const SERVER_HELLO = hello(2, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4);
const kept = () =>
  new Conversation().handshake().data('client', request()).wait(0.01).data('server', OK).ack('client');

describe('HTTP/1', () => {
  it('knows method, path, host and status, and drops the query', () => {
    const { http } = only(
      new Conversation()
        .handshake()
        .data('client', request('GET /a/b?token=secret'))
        .data('server', OK)
        .close(),
    );
    expect(http).toMatchObject({ version: '1.1', requests: 1, responses: 1 });
    expect(http?.exchanges).toMatchObject([
      { method: 'GET', path: '/a/b', host: 'example.com', status: 200 },
    ]);
    expect(JSON.stringify(http)).not.toContain('secret');
  });

  it('keeps the query where that is asked for', () => {
    const { packets } = new Conversation().handshake().data('client', request('GET /a?q=1')).close();
    const { connections } = traceBytes(pcap(packets), { keepQueries: true });
    expect(connections[0]?.http?.exchanges[0]?.path).toBe('/a?q=1');
  });

  it('takes names and passwords out of absolute addresses', () => {
    const { http } = only(
      new Conversation().handshake().data('client', request('GET http://me:secret@host/x')).close(),
    );
    expect(http?.exchanges[0]?.path).toBe('host/x');
  });

  it.each([
    ['GET http://me:secret@host/x?secret', 'host/x'],
    ['GET /u/me@host', '/u/me@host'],
    ['GET /reset;jsessionid=secret/x', '/reset'],
    ['CONNECT me:secret@host:443', 'host:443'],
    ['GET http://me:secret@host?secret', 'host'],
  ])('%s keeps no secret, in the events either', (start, path) => {
    const { packets } = new Conversation()
      .handshake()
      .data('client', `${start} HTTP/1.1\r\nHost: me:secret@host\r\n\r\n`)
      .close();
    const { connections } = traceBytes(pcap(packets), { follow: 1 });
    expect(connections[0]?.http?.exchanges[0]).toMatchObject({ path, host: 'host' });
    const [method] = start.split(' ');
    const told = connections[0]?.events.find(({ kind }) => kind === 'request')?.text;
    expect(told).toBe(`${method} ${path}`);
  });

  it('counts what is pipelined', () => {
    const { http } = only(
      new Conversation()
        .handshake()
        .data('client', request() + request('HEAD /b') + request('GET /c'))
        .data('server', `${OK}HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${OK}`)
        .close(),
    );
    expect(http).toMatchObject({ requests: 3, responses: 3, pipelined: 3 });
    expect(http?.exchanges.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('reads chunked bodies, interim answers, and heads that come in pieces', () => {
    const chunked =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: 1\r\n\r\n';
    const conversation = new Conversation().handshake();
    for (const piece of request('POST /x', 'Content-Length: 5\r\n').match(/.{1,9}/gs) ?? [])
      conversation.data('client', piece);
    conversation.data('client', 'hello');
    for (const piece of (chunked + OK).match(/.{1,7}/gs) ?? []) conversation.data('server', piece);
    const { http } = only(conversation.close());
    expect(http).toMatchObject({ requests: 1, responses: 2 });
    expect(http?.exchanges[0]?.status).toBe(201);
  });

  it('puts segments back in order, and goes on after bytes that the capture lacks', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', request())
      .data('server', OK.slice(0, 20));
    const early = conversation.packets.length;
    conversation.data('server', OK.slice(20, 30)).data('server', OK.slice(30)).ack('client').close();
    const [one, other] = [conversation.packets[early], conversation.packets[early + 1]];
    if (one !== undefined && other !== undefined) {
      conversation.packets[early] = { ...other, time: one.time };
      conversation.packets[early + 1] = { ...one, time: other.time };
    }
    const { http, serverFacts } = only(conversation);
    expect(http).toMatchObject({ responses: 1 });
    expect(serverFacts).toMatchObject({ outOfOrder: 1, missingBytes: 0 });
  });

  it('a CONNECT tunnel shows what is inside', () => {
    const hello = '\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03'.concat(
      'r'.repeat(32),
      '\x00\x00\x02\x13\x01\x01\x00\x00\x00',
    );
    const { http, tls } = only(
      new Conversation()
        .handshake()
        .data('client', 'CONNECT a:443 HTTP/1.1\r\n\r\n')
        .data('server', 'HTTP/1.1 200 OK\r\n\r\n')
        .data('client', hello)
        .close(),
    );
    expect(http?.requests).toBe(1);
    expect(tls?.clientHello).toBeDefined();
  });

  it('Keep-Alive, Connection: close, and idle times', () => {
    const answer = OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=5, max=100\r\nConnection: close\r\n\r\n');
    const { http } = only(
      kept().wait(2).data('client', request('GET /b')).data('server', answer).close('server'),
    );
    expect(http).toMatchObject({ keepAlive: { timeoutSeconds: 5, max: 100 }, connectionClose: 'server' });
    expect((http?.idleGaps[0]?.idle ?? 0) / 1e9).toBeCloseTo(2, 2);
    // The response before it: its frame and its time.
    expect(http?.idleGaps[0]?.start).toEqual(http?.exchanges[0]?.response);
  });
});

describe('how a connection ends', () => {
  it('who closed it while it was idle, and after how long', () => {
    const { close } = only(kept().wait(15).close('server'));
    expect(close).toMatchObject({ firstFin: 'server', idleClose: { by: 'server' }, timeWait: 'server' });
    expect((close?.idleClose?.idle ?? 0) / 1e9).toBeCloseTo(15, 2);
  });

  it('a request that crosses the close of a kept connection is a race', () => {
    const conversation = kept().wait(15).fin('server').data('client', request('GET /b')).rst('server');
    expect(rules(conversation)).toContain('keepalive_race');
    expect(only(conversation).close?.race).toMatchObject({ request: {}, close: {} });
  });

  it('a reset instead of an answer', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', request())
      .ack('server')
      .wait(1)
      .rst('server');
    expect(rules(conversation)).toEqual(['reset_after_request']);
  });

  it('a client that gives up waiting, and after how long', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', request())
      .ack('server')
      .wait(30)
      .fin('client');
    const [finding] = only(conversation).findings;
    expect(finding).toMatchObject({ rule: 'request_timeout' });
    expect(finding?.message).toContain('after 30.0 s');
  });

  it('a client that gives up and resets the answer that comes later', () => {
    const late = () =>
      new Conversation().handshake().data('client', request()).ack('server').wait(1).fin('client').wait(4);
    const [finding] = only(late().data('server', OK).rst('client')).findings;
    expect(finding).toMatchObject({
      rule: 'request_timeout',
      message: expect.stringContaining('after 1.0 s'),
    });
    expect(rules(late().data('server', OK).ack('client').fin('server').ack('client'))).toEqual([]);
  });

  it('a client that only sends and then closes waits for no answer', () => {
    const log = () =>
      new Conversation().handshake().data('client', '<13>one').wait(5).data('client', '<13>two');
    expect(rules(log().ack('server').close())).toEqual([]);
    expect(rules(log().ack('server').wait(5).close())).toEqual(['request_timeout']);
  });

  it('no client gives up on an answer that the capture lacks', () => {
    const unseen = new Conversation().handshake().data('client', request()).wait(0.1).lose('server', 38);
    expect(rules(unseen.ack('client').close())).not.toContain('request_timeout');
    const opaque = new Conversation().handshake().data('client', '\x01\x02\x03').wait(0.1).lose('server', 38);
    expect(rules(opaque.ack('client').close())).not.toContain('request_timeout');
    const oneSided = new Conversation().handshake().data('client', request()).wait(0.1);
    oneSided.lose('server', 38).ack('client').wait(1).fin('client');
    const { packets } = oneSided;
    const { connections } = traceBytes(pcap(packets.filter((_, index) => index !== 1)));
    expect(connections.map(({ findings }) => findings)).toEqual([[]]);
  });

  it('a later request on a connection of which an answer is missing is no timeout either', () => {
    const conversation = kept().lose('server', 100).data('server', OK).ack('client').wait(0.1);
    expect(rules(conversation.data('client', request()).wait(1).fin('client'))).not.toContain(
      'request_timeout',
    );
  });

  it('a TLS handshake that one side ends, and after how long', () => {
    const begun = () => new Conversation().handshake().data('client', CLIENT_HELLO).ack('server').wait(5);
    const message = (conversation: Conversation) =>
      only(conversation).findings.find(({ rule }) => rule === 'tls_handshake_failed')?.message;
    expect(message(begun().close())).toMatch(/the client closed it 5\.0 s after the ClientHello/);
    expect(message(begun().rst('server'))).toMatch(/the server reset it 5\.0 s after the ClientHello/);
    expect(message(begun().data('server', SERVER_HELLO).wait(1).close())).toMatch(/client closed it 6\.0 s/);
    const alert = record(21, 2, 40);
    expect(rules(begun().data('server', alert).close('server'))).toEqual(['tls_alert']);
    // Still open, or the rest of it missing in the capture: nothing can be said.
    expect(message(begun())).toBeUndefined();
    expect(message(begun().lose('server', 900).ack('client').close())).toBeUndefined();
  });

  it('a client that gives up and says goodbye in TLS', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', CLIENT_HELLO)
      .data('server', SERVER_HELLO)
      .data('client', record(23, ...Array<number>(53).fill(9)))
      .data('client', record(23, ...Array<number>(99).fill(9)))
      .ack('server')
      .wait(5)
      .data('client', record(23, ...Array<number>(19).fill(9)))
      .fin('client');
    const [finding] = only(conversation).findings;
    expect(finding).toMatchObject({
      rule: 'request_timeout',
      message: expect.stringContaining('after 5.0 s'),
    });
  });

  it('close_notify of TLS 1.3 is no request', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', CLIENT_HELLO)
      .data('server', SERVER_HELLO)
      .data('client', record(23, ...Array<number>(53).fill(9)))
      .wait(1)
      .data('client', record(23, ...Array<number>(19).fill(9)))
      .wait(1)
      .fin('client');
    const { tls, request: first, findings } = only(conversation);
    expect(tls).toMatchObject({ version: '1.3', finished: { frame: 6 } });
    expect({ first, findings }).toEqual({ first: undefined, findings: [] });
  });

  it('a POST that was cut off and is sent again without an Idempotency-Key', () => {
    const first = new Conversation()
      .handshake()
      .data('client', request('POST /pay', 'Content-Length: 2\r\n'))
      .data('client', '{}')
      .ack('server')
      .rst('server');
    const again = (headers: string) =>
      new Conversation(1_700_000_005, { client: 40_001, server: 80 })
        .handshake()
        .data('client', request('POST /pay', `Content-Length: 2\r\n${headers}`))
        .data('client', '{}')
        .data('server', OK)
        .close();
    const found = (headers: string) =>
      traced(first, again(headers)).connections[1]?.findings.map(({ rule }) => rule);
    expect(found('')).toEqual(['unsafe_retry']);
    expect(found('Idempotency-Key: 7\r\n')).toEqual([]);
  });

  it('a close that is not complete takes no time that could be told', () => {
    const phase = (conversation: Conversation) => only(conversation).phases.close;
    expect(phase(kept().rst('server'))).toBeUndefined();
    expect(phase(kept().wait(1).fin('client'))).toBeUndefined();
    expect(phase(kept().fin('client').wait(1).rst('client'))).toBeCloseTo(1.0001e9, -3);
    expect(phase(kept().close())).toBeGreaterThan(0);
    const forged = new Conversation().syn().raw({ from: 'server', flags: FLAGS.rst, seq: 1 }).wait(1);
    expect(phase(forged.synAck().ack('client').wait(1).rst('server'))).toBeUndefined();
    const { result } = traced(kept().rst('server'));
    expect(result.summary.phases.close).toBeUndefined();
  });

  it('both close at once', () => {
    const { close } = only(
      new Conversation()
        .handshake()
        .raw({ flags: FLAGS.fin | FLAGS.ack, seq: 1001, ack: 5001 })
        .raw({ from: 'server', flags: FLAGS.fin | FLAGS.ack, seq: 5001, ack: 1001 }),
    );
    expect(close).toMatchObject({ simultaneous: true, timeWait: 'client' });
  });
});

describe('losses and stalls', () => {
  it('a retransmission by timeout, a fast one, a needless one', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', 'a'.repeat(100))
      .wait(0.2)
      .again('client', 'a'.repeat(100))
      .ack('server')
      .again('client', 'a'.repeat(100));
    expect(only(conversation).clientFacts.retransmissions).toEqual({ rto: 1, fast: 0, spurious: 1 });
    const fast = new Conversation()
      .handshake()
      .data('client', 'a'.repeat(100))
      .data('client', 'b'.repeat(100));
    for (let count = 0; count < 3; count++)
      fast.raw({ from: 'server', flags: FLAGS.ack, seq: 5001, ack: 1001 });
    fast.raw({ flags: FLAGS.ack, seq: 1001, ack: 5001, payload: 'a'.repeat(100) });
    expect(only(fast).clientFacts.retransmissions).toEqual({ rto: 0, fast: 1, spurious: 0 });
  });

  it('a copy made by the capture is no retransmission', () => {
    const conversation = new Conversation().handshake();
    for (let count = 0; count < 3; count++)
      conversation.raw({ flags: FLAGS.ack, seq: 1001, ack: 5001, payload: 'x'.repeat(10), ipId: 777 });
    const { clientFacts } = only(conversation);
    expect(clientFacts).toMatchObject({
      bytes: 10,
      duplicates: 2,
      retransmissions: { rto: 0, fast: 0, spurious: 0 },
    });
  });

  it('a closed window, its probes, and its end', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', 'x'.repeat(1000))
      .ack('server', { window: 0 });
    conversation
      .wait(0.3)
      .raw({ flags: FLAGS.ack, seq: 2000, ack: 5001 })
      .ack('server', { window: 0 })
      .wait(1)
      .ack('server', { window: 500 });
    const { serverFacts, clientFacts, findings } = only(conversation);
    expect(serverFacts.zeroWindows).toMatchObject([{ probes: 1, start: {}, end: {} }]);
    expect(clientFacts).toMatchObject({ zeroWindowProbes: 1, keepAlives: 0 });
    expect(findings[0]).toMatchObject({ rule: 'zero_window', severity: 'warning' });
  });

  it('a keep-alive is no retransmission', () => {
    const conversation = kept()
      .wait(60)
      .raw({ flags: FLAGS.ack, seq: 1000 + request().length, ack: 5001 + OK.length })
      .ack('server');
    expect(only(conversation).clientFacts).toMatchObject({ keepAlives: 1, retransmissions: { rto: 0 } });
  });

  it('bytes that the peer acknowledged and the capture lacks are missing, not lost', () => {
    const conversation = new Conversation()
      .handshake()
      .data('client', request())
      .lose('server', 500)
      .ack('client')
      .close();
    const { serverFacts, findings } = only(conversation);
    expect(serverFacts.missingBytes).toBe(500);
    expect(findings.map(({ rule }) => rule)).toContain('missing_packets');
  });

  it("Nagle's algorithm against delayed ACKs", () => {
    const conversation = new Conversation().handshake();
    for (let count = 0; count < 4; count++) conversation.data('client', 'small').wait(0.04).ack('server');
    expect(only(conversation).findings).toMatchObject([{ rule: 'nagle_delayed_ack', severity: 'warning' }]);
  });

  it('slow start on a long path', () => {
    const options = [2, 4, 5, 180];
    const conversation = new Conversation();
    conversation.raw({ flags: FLAGS.syn, seq: 1000, options }).wait(0.05);
    conversation.raw({ from: 'server', flags: FLAGS.syn | FLAGS.ack, seq: 5000, ack: 1001, options });
    conversation.raw({ flags: FLAGS.ack, seq: 1001, ack: 5001 });
    let seq = 5001;
    for (const segments of [10, 20, 40, 80]) {
      for (let count = 0; count < segments; count++) {
        conversation.raw({ from: 'server', flags: FLAGS.ack, seq, ack: 1001, payload: 'x'.repeat(1460) });
        conversation.time -= 0.00009;
        seq += 1460;
      }
      conversation.wait(0.05).raw({ flags: FLAGS.ack, seq: 1001, ack: seq });
    }
    const { findings, serverFacts } = only(conversation);
    expect(serverFacts.flights).toBe(3);
    expect(findings.map(({ rule }) => rule)).toEqual(['slow_start']);
    expect(findings[0]?.frames.length).toBeGreaterThan(0);
  });

  it('time that goes back', () => {
    const conversation = new Conversation().handshake().wait(-5).data('client', request());
    expect(traced(conversation).result.summary.packets).toBe(4);
    const { result } = traceBytes(pcap(conversation.packets));
    expect(result.summary.trust.map(({ what }) => what)).toContain('clock_back');
  });
});

describe('outcomes', () => {
  const syns = (pauses: readonly number[], after: number) => {
    const conversation = new Conversation().raw({ flags: FLAGS.syn, seq: 1000 });
    for (const pause of pauses) conversation.wait(pause).raw({ flags: FLAGS.syn, seq: 1000 });
    const other = new Conversation(conversation.time + after, { client: 50_000, server: 81 }).syn();
    return traced(conversation, other).connections[0];
  };

  it.each([
    ['exponential_1s', [1, 2, 4, 8]],
    ['linear5_exponential', [1, 1, 1, 1, 1, 2, 4]],
    ['exponential_3s', [3, 6, 12]],
    ['fixed', [0.5, 0.5, 0.5]],
    ['custom', [0.3, 4, 1]],
  ] as const)('pauses of SYNs: %s', (shape, pauses) => {
    const schedule = syns(pauses, 1)?.synSchedule;
    expect(schedule?.shape).toBe(shape);
    expect(schedule?.stepsMs).toHaveLength(pauses.length);
  });

  it('a timeout is only claimed where the capture went on long enough', () => {
    expect(syns([1, 2, 4], 7)?.outcome).toBe('unresolved');
    expect(syns([1, 2, 4], 9)?.outcome).toBe('timed_out');
    expect(syns([1, 1, 1], 1.2)?.outcome).toBe('timed_out');
    expect(syns([], 3)?.outcome).toBe('unresolved');
    expect(syns([], 4)?.outcome).toBe('timed_out');
  });

  it('refused, half open, reset in the handshake', () => {
    expect(only(new Conversation().syn().rst('server'))).toMatchObject({ outcome: 'refused' });
    expect(
      only(
        new Conversation().syn().synAck().wait(1).raw({ from: 'server', flags: 18, seq: 5000, ack: 1001 }),
      ),
    ).toMatchObject({ outcome: 'half_open', synAck: [{}, {}] });
    expect(only(new Conversation().syn().synAck().rst('client'))).toMatchObject({
      outcome: 'reset_in_handshake',
    });
  });

  it('a connection that began before the capture', () => {
    expect(only(new Conversation().data('client', 'x').ack('server'))).toMatchObject({
      outcome: 'midstream',
      role: 'guessed',
    });
  });

  it('SYN-ACKs of a simultaneous open and of a split handshake are no copies of the SYNs', () => {
    const syns = () =>
      new Conversation()
        .raw({ flags: FLAGS.syn, seq: 1000, ipId: 1 })
        .raw({ from: 'server', flags: FLAGS.syn, seq: 5000, ipId: 1 });
    const both = FLAGS.syn | FLAGS.ack;
    const split = syns()
      .raw({ flags: both, seq: 1000, ack: 5001, ipId: 1 })
      .raw({ from: 'server', flags: FLAGS.ack, seq: 5001, ack: 1001 });
    expect(only(split)).toMatchObject({ splitHandshake: true, clientFacts: { duplicates: 0, segments: 2 } });
    expect(only(split).zeek.history).toBe('SsHa');
    const simultaneous = syns()
      .raw({ flags: both, seq: 1000, ack: 5001, ipId: 1 })
      .raw({ from: 'server', flags: both, seq: 5000, ack: 1001, ipId: 1 });
    expect(only(simultaneous)).toMatchObject({ simultaneousOpen: true, zeek: { history: 'SsHh' } });
  });

  it('the same 4-tuple again is another connection', () => {
    const { connections } = traced(
      kept().close(),
      new Conversation(1_700_000_001).raw({ flags: FLAGS.syn, seq: 77_000 }),
    );
    expect(connections.map(({ outcome }) => outcome)).toEqual(['established', 'unresolved']);
  });
});

describe('many connections', () => {
  it('leave memory once they are closed, and stay in the sums', () => {
    const packets = Array.from(
      { length: 3000 },
      (_, index) =>
        new Conversation(1_700_000_000 + index * 0.01, { client: 1024 + index, server: 80 })
          .handshake()
          .data('client', request())
          .data('server', OK)
          .close().packets,
    ).flat();
    const { result } = traceBytes(pcap(packets), { detail: 'totals' });
    expect(result.summary).toMatchObject({
      connections: 3000,
      http: { requests: 3000, responses: 3000 },
      outcomes: { established: 3000 },
    });
    expect(result.worst).toHaveLength(20);
    expect(result.summary.pools).toMatchObject([
      { connections: 3000, highest: 1, requests: 3000, timeWait: { client: 3000, server: 0 } },
    ]);
  });

  it('a packet that comes late begins no new one, though its connection has left', () => {
    const late = kept().close().wait(1);
    late.raw({
      from: 'server',
      flags: FLAGS.fin | FLAGS.ack,
      seq: 5001 + OK.length,
      ack: 1002 + request().length,
    });
    const other = new Conversation(late.time + 3, { client: 50_000, server: 80 }).handshake().close();
    const { connections } = traced(late, other);
    expect(connections.map(({ outcome }) => outcome)).toEqual(['established', 'established']);
  });

  it('attempts one after another are not at once, and bound how long the client waits', () => {
    const attempt = (index: number, start: number) =>
      new Conversation(1_700_000_000 + start, { client: 30_000 + index, server: 80 })
        .syn()
        .wait(0.9999)
        .raw({ flags: FLAGS.syn, seq: 1000 });
    const later = new Conversation(1_700_000_060, { client: 9, server: 81 }).handshake().close();
    const [inTurn, sideBySide] = [
      traced(...[0, 2, 4, 6].map((start, index) => attempt(index, start)), later),
      traced(...[0, 0.01, 0.02, 0.03].map((start, index) => attempt(index, start)), later),
    ];
    expect(inTurn.result.summary.pools).toMatchObject([{ connections: 4, highest: 1 }]);
    expect(sideBySide.result.summary.pools).toMatchObject([{ connections: 4, highest: 4 }]);
    const said = ({ connections }: typeof inTurn) =>
      connections.slice(0, 4).map(({ findings }) => findings[0]);
    expect(said(inTurn)[0]).toMatchObject({ rule: 'connect_timeout', frames: [1, 2, 3] });
    expect(said(inTurn)[0]?.evidence).toContain(
      'the client gave up after 1.0 s to 2.0 s: its next attempt began then (frame 3)',
    );
    expect(said(sideBySide)[3]?.evidence).toContain(
      'the client gave up after 1.0 s to 3.0 s: the next SYN was due then and did not come',
    );
  });

  it('a connect that took long although there was one SYN', () => {
    const synAck = { from: 'server', flags: FLAGS.syn | FLAGS.ack, seq: 5000, ack: 1001 } as const;
    const again = only(
      new Conversation().syn().synAck().wait(1).raw(synAck).wait(2).raw(synAck).wait(3).ack('client'),
    );
    expect(again.findings).toMatchObject([
      { rule: 'slow_handshake', message: expect.stringMatching(/took 6\.0 s: 3 SYN-ACKs until the client/) },
    ]);
    expect(again.phases).toMatchObject({ synAckToAckAmbiguous: true });
    expect(only(new Conversation().handshake()).phases).not.toHaveProperty('synAckToAckAmbiguous');
    const late = only(new Conversation().syn().wait(2).synAck().ack('client'));
    expect(late.findings).toMatchObject([
      { rule: 'slow_handshake', message: expect.stringContaining('answered the SYN only after 2.0 s') },
    ]);
    // The server would have sent its SYN-ACK again: the capture lacks an ACK.
    expect(rules(new Conversation().syn().synAck().wait(20).data('client', request()))).toEqual([]);
  });

  it('attempts of several threads, or from the same port again', () => {
    const attempt = (client: number, start: number, seq: number) =>
      new Conversation(1_700_000_000 + start, { client, server: 80 })
        .raw({ flags: FLAGS.syn, seq })
        .wait(0.9999)
        .raw({ flags: FLAGS.syn, seq });
    const later = new Conversation(1_700_000_060, { client: 9, server: 81 }).handshake().close();
    const threads = traced(attempt(1, 0, 1), attempt(2, 0.5, 1), attempt(3, 2, 1), attempt(4, 2.5, 1), later);
    expect(threads.result.summary.pools).toMatchObject([{ connections: 4, highest: 2 }]);
    // Whose attempt the next one follows is not known: only the SYN that did not come bounds it.
    expect(threads.connections[0]?.findings[0]?.evidence.at(-1)).toContain('1.0 s to 3.0 s');
    const samePort = traced(attempt(1, 0, 1), attempt(1, 2, 50_000), attempt(1, 4, 90_000), later);
    expect(samePort.result.summary.pools).toMatchObject([{ connections: 3, highest: 1 }]);
    expect(samePort.connections[0]?.findings[0]?.evidence.at(-1)).toContain('1.0 s to 2.0 s');
  });

  it('the connection that is followed says the same, and each packet once', () => {
    const conversation = new Conversation()
      .syn()
      .wait(0.9999)
      .raw({ flags: FLAGS.syn, seq: 1000 })
      .synAck()
      .wait(1)
      .raw({ from: 'server', flags: FLAGS.syn | FLAGS.ack, seq: 5000, ack: 1001 })
      .ack('client')
      .fin('client')
      .wait(1)
      .raw({ flags: FLAGS.fin | FLAGS.ack, seq: 1001, ack: 5001 });
    const { connections } = traceBytes(pcap(conversation.packets), { follow: 1 });
    const frames = connections[0]?.events.map(({ frame }) => frame);
    expect(frames).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(connections[0]?.syn).toHaveLength(2);
    const silent = new Conversation().syn().wait(0.9999).raw({ flags: FLAGS.syn, seq: 1000 });
    const later = new Conversation(1_700_000_002.5, { client: 9, server: 81 }).handshake().close();
    const followed = traceBytes(pcap([...silent.packets, ...later.packets]), { follow: 1 });
    expect(followed.connections[0]?.outcome).toBe('unresolved');
  });

  it('connections that are opened at once, and answered later, are at once', () => {
    const opened = [0, 0.1, 0.2].map((start, index) =>
      new Conversation(1_700_000_000 + start, { client: 30_000 + index, server: 80 })
        .syn()
        .wait(0.5)
        .synAck()
        .ack('client')
        .wait(1)
        .close(),
    );
    expect(traced(...opened).result.summary.pools).toMatchObject([{ connections: 3, highest: 3 }]);
  });

  it('SYNs without an answer at the end of the capture are trouble, too', () => {
    const conversation = new Conversation().syn().wait(0.9999).raw({ flags: FLAGS.syn, seq: 1000 });
    expect(only(conversation)).toMatchObject({
      outcome: 'unresolved',
      findings: [
        { rule: 'connect_timeout', sure: 'likely', message: expect.stringContaining('capture ended') },
      ],
    });
    expect(rules(new Conversation().syn())).toEqual([]);
  });

  it('the same addresses and ports on a VLAN and without, whichever comes first', () => {
    const untagged = kept().close().packets;
    const tagged = (vlan: number, later: number) =>
      untagged.map(({ time, bytes }) => ({
        time: time + later,
        bytes: bytesOf(bytes.subarray(0, 12), [0x81, 0, 0, vlan], bytes.subarray(12)),
      }));
    const collisions = (...parts: readonly (readonly Timed[])[]) =>
      traceBytes(pcap(parts.flat().sort((a, b) => a.time - b.time))).result.summary.trust.find(
        ({ what }) => what === 'collisions',
      );
    expect(collisions(untagged)).toBeUndefined();
    expect(collisions(tagged(5, 0))).toBeUndefined();
    expect(collisions(untagged, tagged(5, 0.00002))).toMatchObject({ count: 2, frames: [1, 2] });
    expect(collisions(tagged(5, 0), untagged)).toMatchObject({ count: 2, frames: [1, 2] });
    expect(collisions(untagged, tagged(5, 0.00002), tagged(6, 0.00004))).toMatchObject({ count: 3 });
  });

  it('attempts that fail: hammering or backing off', () => {
    const attempts = (pauses: readonly number[]) => {
      let time = 1_700_000_000;
      return pauses.map((pause, index) => {
        time += pause;
        return new Conversation(time, { client: 30_000 + index, server: 80 }).syn().rst('server');
      });
    };
    const pattern = (pauses: readonly number[]) =>
      traced(...attempts(pauses)).result.summary.retries[0]?.pattern;
    expect(pattern([0, 0.1, 0.1, 0.1, 0.1])).toBe('hammering');
    const storm = (pauses: readonly number[]) =>
      traced(...attempts(pauses)).result.summary.rules.find(({ rule }) => rule === 'retry_storm');
    expect(storm(Array(12).fill(0.1))).toMatchObject({
      severity: 'warning',
      connections: 12,
      examples: [{ id: 1, frames: [1] }],
    });
    expect(storm(Array(5).fill(0.1))).toBeUndefined();
    expect(storm(Array.from({ length: 12 }, (_, index) => 0.1 * 2 ** index))).toBeUndefined();
    expect(pattern([0, 0.1, 0.2, 0.4, 0.8])).toBe('back_off');
    expect(pattern([0, 0.1, 0.1, 0.1, 0.1, 30, 0.1])).toBe('paused');
  });
});
