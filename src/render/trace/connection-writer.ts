import type { DirectionFacts, Moment, Phases, TraceConnection } from '../../model/trace.js';
import type { TraceConnectionJson } from '../../model/trace-json.js';
import { type ByteText, type FixedText, fixedText } from '../byte-text.js';
import type { Names } from '../names.js';
import { isPlainClose, writePlainClose } from './close-writer.js';
import { findingJson } from './finding-json.js';
import { HostTexts } from './host-texts.js';
import { writeHttp } from './http-writer.js';
import { addLayers, addRare, addRareCounts, hasRareCounts, resentBy } from './json.js';
import { MomentWriter } from './moment-writer.js';

/**
 * Writes connections as `jsonText(connectionJson(connection))` has them, byte for byte, without the objects and strings in between:
 * there may be millions. What most do not have is left to the functions of json.ts. A test holds the two against each other.
 */
export class ConnectionWriter {
  private readonly moments = new MomentWriter();
  private readonly hosts: HostTexts;

  constructor(private readonly names: Names) {
    this.hosts = new HostTexts(names);
  }

  /** One JSON object, without an end of line. */
  write(out: ByteText, connection: TraceConnection, epochSeconds: number): void {
    const { moments, names } = this;
    moments.begin(epochSeconds);
    this.identity(out, connection);
    this.handshake(out, connection);
    if (connection.dns || connection.tls || connection.quic) this.others(out, connection, addLayers);
    if (connection.http) writeHttp(out, connection.http, moments, names);
    writePhases(out, connection.phases);
    this.counts(out, connection);
    this.ends(out, F.fin, connection.clientFacts.fin, connection.serverFacts.fin);
    this.ends(out, F.rst, connection.clientFacts.rst, connection.serverFacts.rst);
    if (isRare(connection)) this.others(out, connection, addRare);
    else if (connection.close) writePlainClose(out, connection.close);
    writeZeek(out, connection.zeek);
    this.findings(out, connection);
    out.close('}');
  }

  private identity(out: ByteText, connection: TraceConnection): void {
    out.fixed(F.id);
    out.number(connection.id);
    out.fixed(F.protocol);
    out.string(connection.protocol);
    out.fixed(F.client);
    this.hosts.write(out, connection.client);
    out.fixed(F.server);
    this.hosts.write(out, connection.server);
    out.fixed(F.role);
    out.string(connection.role);
    out.fixed(F.outcome);
    out.string(connection.outcome);
  }

  private handshake(out: ByteText, connection: TraceConnection): void {
    const { path, ack, request, response } = connection;
    this.moment(out, F.start, connection.first);
    this.moment(out, F.end, connection.last);
    this.list(out, F.syn, connection.syn);
    this.list(out, F.synAck, connection.synAck);
    if (path.length > 0) out.fields({ path });
    if (ack) this.moment(out, F.ack, ack);
    if (request) this.moment(out, F.request, request);
    if (response) this.moment(out, F.response, response);
  }

  private counts(out: ByteText, { clientFacts, serverFacts }: TraceConnection): void {
    writeSides(out, F.bytes, clientFacts.bytes, serverFacts.bytes);
    writeSides(out, F.segments, clientFacts.segments, serverFacts.segments);
    writeSides(out, F.resent, resentBy(clientFacts), resentBy(serverFacts));
    if (!hasRareCounts(clientFacts) && !hasRareCounts(serverFacts)) return;
    const json: Partial<TraceConnectionJson> = {};
    addRareCounts(json, clientFacts, serverFacts, this.moments.json);
    out.fields(json);
  }

  private ends(
    out: ByteText,
    name: FixedText,
    ofClient: DirectionFacts['fin'],
    ofServer: DirectionFacts['fin'],
  ): void {
    if (ofClient === undefined && ofServer === undefined) return;
    out.fixed(name);
    if (ofClient) this.moments.entry(out, F.ofClient, ofClient);
    if (ofServer) this.moments.entry(out, F.ofServer, ofServer);
    out.close('}');
  }

  private findings(out: ByteText, { findings }: TraceConnection): void {
    out.fixed(F.findings);
    for (const finding of findings) {
      out.json(findingJson(finding, this.names));
      out.comma();
    }
    out.close(']');
  }

  /** What the functions of json.ts add. */
  private others(out: ByteText, connection: TraceConnection, add: typeof addRare | typeof addLayers): void {
    const json: Partial<TraceConnectionJson> = {};
    add(json, connection, this.moments.json, this.names);
    out.fields(json);
  }

  private moment(out: ByteText, name: FixedText, moment: Moment): void {
    out.fixed(name);
    this.moments.write(out, moment);
  }

  private list(out: ByteText, name: FixedText, moments: readonly Moment[]): void {
    out.fixed(name);
    for (const moment of moments) {
      this.moments.write(out, moment);
      out.comma();
    }
    out.close(']');
  }
}

/** What comes before each value. */
const F = {
  id: fixedText('{"schema":"sockwatch.connection/1","id":'),
  protocol: fixedText(',"protocol":'),
  client: fixedText(',"client":'),
  server: fixedText(',"server":'),
  role: fixedText(',"role":'),
  outcome: fixedText(',"outcome":'),
  start: fixedText(',"start":'),
  end: fixedText(',"end":'),
  syn: fixedText(',"syn":['),
  synAck: fixedText(',"syn_ack":['),
  ack: fixedText(',"ack":'),
  request: fixedText(',"request":'),
  response: fixedText(',"response":'),
  phases: fixedText(',"phases":{'),
  duration: fixedText('"duration_ms":'),
  ambiguous: fixedText('"syn_to_syn_ack_ambiguous":true,'),
  bytes: fixedText(',"bytes":{"client":'),
  segments: fixedText(',"segments":{"client":'),
  resent: fixedText(',"retransmissions":{"client":'),
  andServer: fixedText(',"server":'),
  fin: fixedText(',"fin":{'),
  rst: fixedText(',"rst":{'),
  ofClient: fixedText('"client":'),
  ofServer: fixedText('"server":'),
  zeek: fixedText(',"zeek":{"conn_state":'),
  history: fixedText(',"history":'),
  findings: fixedText(',"findings":['),
};

const P = {
  synToSynAck: fixedText('"syn_to_syn_ack_ms":'),
  synAckToAck: fixedText('"syn_ack_to_ack_ms":'),
  connect: fixedText('"connect_ms":'),
  tls: fixedText('"tls_ms":'),
  firstResponse: fixedText('"first_response_ms":'),
  close: fixedText('"close_ms":'),
};

/** Whether `addRare` would add anything but an ordinary close. */
const isRare = (connection: TraceConnection): boolean =>
  connection.icmp !== undefined ||
  connection.synSchedule !== undefined ||
  connection.oneSided !== undefined ||
  connection.comment !== undefined ||
  connection.reused === true ||
  connection.simultaneousOpen === true ||
  connection.splitHandshake === true ||
  (connection.close !== undefined && !isPlainClose(connection.close));

function writePhases(out: ByteText, phases: Phases): void {
  out.fixed(F.phases);
  writePhase(out, P.synToSynAck, phases.synToSynAck);
  if (phases.synToSynAckAmbiguous) out.fixed(F.ambiguous);
  writePhase(out, P.synAckToAck, phases.synAckToAck);
  writePhase(out, P.connect, phases.connect);
  writePhase(out, P.tls, phases.tls);
  writePhase(out, P.firstResponse, phases.firstResponse);
  writePhase(out, P.close, phases.close);
  out.fixed(F.duration);
  out.millis(phases.duration);
  out.close('}');
}

function writePhase(out: ByteText, name: FixedText, nanos: number | undefined): void {
  if (nanos === undefined) return;
  out.fixed(name);
  out.millis(nanos);
  out.comma();
}

function writeSides(out: ByteText, name: FixedText, client: number, server: number): void {
  out.fixed(name);
  out.number(client);
  out.fixed(F.andServer);
  out.number(server);
  out.close('}');
}

function writeZeek(out: ByteText, { connState, history }: TraceConnection['zeek']): void {
  out.fixed(F.zeek);
  out.string(connState);
  out.fixed(F.history);
  out.string(history);
  out.close('}');
}
