import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyCapture } from '../../src/collect/capture-verify.js';
import { zeekRecord } from '../../src/render/trace/zeek.js';
import { sharedDir, sharedMissing } from '../support/shared.js';
import { endsOf, traceFiles } from '../support/trace.js';

const folder = join(sharedDir ?? '', 'captures');
const real = (name: string) => traceFiles([join(folder, 'real', name)]);
const only = async (name: string) => {
  const { connections } = await real(name);
  const [connection, ...others] = connections.filter(({ protocol }) => protocol !== 'udp');
  expect(others).toEqual([]);
  if (connection === undefined) throw new Error(`no connection in ${name}`);
  return connection;
};

describe.skipIf(sharedMissing)(`real captures${sharedMissing ? ` (skipped: ${sharedMissing})` : ''}`, () => {
  it.each([
    ['get.pcap', 'SF', 'ShADadFf'],
    ['option-sack.pcap', 'S0', 'S'],
    ['syn-then-rst.pcap', 'RSTOS0', 'SR'],
    ['syn-then-ack-then-rst.pcap', 'RSTOS0', 'SaR'],
    ['missing-syn.pcap', 'SF', '^hADdFaf'],
    ['retransmit-fast009.pcap', 'RSTO', 'ShADaGdgtR'],
    ['miss_end_data.pcap', 'SF', 'ShADafgF'],
  ])('%s: conn_state %s and history %s, as Zeek has them', async (name, connState, history) => {
    expect((await only(name)).zeek).toEqual({ connState, history });
  });

  it('copies of the capture leave no T in the history, where Zeek has ShADTadtTtFf', async () => {
    const { zeek, clientFacts, serverFacts } = await only('ssh-dups.pcap');
    expect(zeek).toEqual({ connState: 'SF', history: 'ShADadFf' });
    expect(clientFacts.duplicates + serverFacts.duplicates).toBeGreaterThan(250);
  });

  it('a SYN-ACK before its SYN is one connection', async () => {
    expect(await only('handshake-reorder.pcap')).toMatchObject({ outcome: 'established', role: 'syn' });
  });

  it('a handshake that nobody finished is half open, where Zeek has S1', async () => {
    expect(await only('syn-synack.pcap')).toMatchObject({
      outcome: 'half_open',
      zeek: { connState: 'S1' },
    });
  });

  it('a SYN-ACK that is sent again with growing pauses, and a late ACK', async () => {
    const { synAck, outcome } = await only('security-4710-02.pcap');
    expect(synAck).toHaveLength(4);
    expect(outcome).toBe('established');
  });

  it('TLS 1.2: all steps', async () => {
    const { tls, phases } = await only('tls1.2.pcap');
    expect(tls).toMatchObject({ version: '1.2', clientHello: {}, serverHello: {}, finished: {} });
    expect(tls?.changeCipherSpec).toMatchObject({ client: {}, server: {} });
    expect(phases.tls).toBeGreaterThan(0);
  });

  it('TLS 1.3 without ChangeCipherSpec', async () => {
    const { tls, phases } = await only('tls13_wolfssl.pcap');
    expect(tls).toMatchObject({ version: '1.3', finished: {} });
    expect(tls?.changeCipherSpec).toBeUndefined();
    expect(phases.tls).toBeGreaterThan(0);
  });

  it('TLS 1.3 with a HelloRetryRequest', async () => {
    expect((await only('hrr.pcap')).tls).toMatchObject({ version: '1.3', helloRetry: true });
  });

  it('a TLS handshake that fails', async () => {
    const { tls, findings } = await only('tls-1.2-handshake-failure.pcap');
    expect(tls?.alert).toMatchObject({ from: 'server', level: 2, description: 40 });
    expect(findings.map(({ message }) => message)).toContain('TLS failed: the server says handshake_failure');
  });

  it('HTTP pipelining, WebSocket, HTTP/2', async () => {
    expect((await only('pipelined-requests.pcap')).http).toMatchObject({
      version: '1.1',
      requests: 5,
      pipelined: 1,
    });
    expect((await only('websocket.pcap')).http).toMatchObject({
      version: 'websocket',
      upgrade: { to: 'websocket' },
    });
    const { http } = await only('http2-nghttp2.pcap');
    expect(http).toMatchObject({ version: '2', requests: 1, responses: 1, http2: { streams: 1 } });
  });

  it('conn.log: duration, sizes and service, as Zeek has them', async () => {
    const fields = (connection: Parameters<typeof zeekRecord>[0]) => {
      const row = zeekRecord(connection, 0).trimEnd().split('\t');
      return [...row.slice(7, 11), row[17], row[19]].join(' ');
    };
    expect(fields(await only('get.pcap'))).toBe('http 0.211484 136 5007 512 5379');
    const { connections } = await real('wikipedia.pcap');
    const rows = connections.map(fields);
    expect(rows).toContain('dns 0.000435 38 89 66 117');
    expect(rows).toContain('dns - - - 179 0');
  });

  it('QUIC: Initial opened, Retry, version negotiation', async () => {
    expect((await only('quic-handshake.pcap')).quic).toMatchObject({
      version: '1',
      sni: 'server4:443',
      alpn: 'hq-interop',
      handshakeDone: {},
      history: 'ISishhoIHOOo',
    });
    expect((await only('quic-retry.pcap')).quic).toMatchObject({ retry: {}, sni: 'server4:443' });
    expect((await only('quic_vn.pcap')).quic).toMatchObject({
      version: '1',
      versionNegotiation: {},
      alpn: 'h3',
      sni: 'localhost',
    });
  });

  it('TCP Fast Open', async () => {
    const { connections } = await real('tcp-fast-open.pcap');
    expect(connections.map(({ clientFacts }) => clientFacts.options?.fastOpen)).toEqual([
      { kind: 'request', synBytes: 0 },
      { kind: 'cookie', synBytes: 86 },
    ]);
    expect((await only('tfo.pcap')).clientFacts.options?.fastOpen?.kind).toBe('request');
  });

  it('a refused connect, then one that succeeds on the same 4-tuple', async () => {
    const { connections } = await real('bug-3844.pcap');
    expect(connections.map(({ outcome, reused }) => [outcome, reused])).toEqual([
      ['refused', undefined],
      ['established', true],
    ]);
  });

  it('tunnels and VLANs are part of what a connection is', async () => {
    const paths = async (name: string) => (await real(name)).connections.map(({ path }) => path);
    expect(new Set((await paths('vlan-collisions.pcap')).flat()).size).toBe(3);
    const { trust } = (await real('vlan-collisions.pcap')).result.summary;
    expect(trust.find(({ what }) => what === 'collisions')?.count).toBe(3);
    expect((await paths('http-vlan-0.pcap')).flat()).toEqual([]);
    expect((await paths('gre-sample.pcap')).every((path) => path.includes('gre'))).toBe(true);
    expect((await paths('vxlan-encapsulated-http.pcap'))[0]?.[0]).toMatch(/^vxlan \d+$/);
  });

  it('fragments, jumbo segments, cooked and nanosecond formats', async () => {
    expect((await only('fragmented-syn.pcap')).syn).toHaveLength(1);
    expect((await only('bigtcp-ipv6-hbh.pcap')).clientFacts.bytes).toBe(80_000);
    expect((await only('tcp-handshake-nano.pcap')).outcome).toBe('established');
    expect((await real('ipv6-http-atomic-frag.pcap')).connections).toHaveLength(4);
  });

  it('the process that a comment names', async () => {
    const { connections } = await real('curl-user.pcapng');
    expect(connections.some(({ comment }) => comment?.includes('curl'))).toBe(true);
  });

  it('pcapng of several sections, byte orders and interfaces', async () => {
    const { info } = await real('test202.pcapng');
    expect(info.files[0]).toMatchObject({ format: 'pcapng', packets: 8 });
    expect(info.files[0]?.fault).toBeUndefined();
    expect((await real('many_interfaces-1.pcapng')).info.files[0]?.links.length).toBeGreaterThan(1);
  });

  it('the name that DNS gave', async () => {
    const { connections } = await real('wikipedia.pcap');
    expect(
      connections.filter(({ dns }) => dns !== undefined).map((one) => `${endsOf(one)} ${one.dns?.name}`)
        .length,
    ).toBeGreaterThan(0);
  });

  const classic =
    sharedDir === undefined ? [] : readdirSync(join(folder, 'real')).filter((name) => name.endsWith('.pcap'));
  it.each(classic)('both readers agree on %s', async (name) => {
    const result = await verifyCapture(join(folder, 'real', name));
    if (result.skipped === undefined) expect(result).toMatchObject({ agree: true, differences: [] });
    else expect(result.skipped).toMatch(/nanoseconds/);
  });
});
