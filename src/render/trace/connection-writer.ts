import type { DirectionFacts, Phases, TraceConnection } from '../../model/trace.js';
import type { TraceConnectionJson } from '../../model/trace-json.js';
import type { Moment } from '../../model/trace-moment.js';
import { type ByteText, type FixedText, fixedText } from '../byte-text.js';
import type { Names } from '../names.js';
import { RepeatedField } from '../repeated-field.js';
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
    out.number(connection.id, F.id);
    F.protocol.write(out, connection.protocol);
    this.hosts.write(out, connection.client, F.client);
    this.hosts.write(out, connection.server, F.server);
    F.role.write(out, connection.role);
    F.outcome.write(out, connection.outcome);
  }

  private handshake(out: ByteText, connection: TraceConnection): void {
    const { path, ack, request, response } = connection;
    this.moments.write(out, connection.first, F.start);
    this.moments.write(out, connection.last, F.end);
    this.list(out, F.syn, connection.syn);
    this.list(out, F.synAck, connection.synAck);
    if (path.length > 0) out.fields({ path });
    if (ack) this.moments.write(out, ack, F.ack);
    if (request) this.moments.write(out, request, F.request);
    if (response) this.moments.write(out, response, F.response);
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
  protocol: new RepeatedField(',"protocol":'),
  client: fixedText(',"client":'),
  server: fixedText(',"server":'),
  role: new RepeatedField(',"role":'),
  outcome: new RepeatedField(',"outcome":'),
  start: fixedText(',"start":'),
  end: fixedText(',"end":'),
  syn: fixedText(',"syn":['),
  synAck: fixedText(',"syn_ack":['),
  ack: fixedText(',"ack":'),
  request: fixedText(',"request":'),
  response: fixedText(',"response":'),
  phases: fixedText(',"phases":{'),
  duration: fixedText('"duration_ms":'),
  ambiguousSyn: fixedText('"syn_to_syn_ack_ambiguous":true,'),
  ambiguousSynAck: fixedText('"syn_ack_to_ack_ambiguous":true,'),
  bytes: fixedText(',"bytes":{"client":'),
  segments: fixedText(',"segments":{"client":'),
  resent: fixedText(',"retransmissions":{"client":'),
  andServer: fixedText(',"server":'),
  fin: fixedText(',"fin":{'),
  rst: fixedText(',"rst":{'),
  ofClient: fixedText('"client":'),
  ofServer: fixedText('"server":'),
  connState: new RepeatedField(',"zeek":{"conn_state":'),
  history: new RepeatedField(',"history":', '}'),
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
  if (phases.synToSynAckAmbiguous) out.fixed(F.ambiguousSyn);
  writePhase(out, P.synAckToAck, phases.synAckToAck);
  if (phases.synAckToAckAmbiguous) out.fixed(F.ambiguousSynAck);
  writePhase(out, P.connect, phases.connect);
  writePhase(out, P.tls, phases.tls);
  writePhase(out, P.firstResponse, phases.firstResponse);
  writePhase(out, P.close, phases.close);
  out.millis(phases.duration, F.duration);
  out.close('}');
}

function writePhase(out: ByteText, name: FixedText, nanos: number | undefined): void {
  if (nanos === undefined) return;
  out.millis(nanos, name);
  out.comma();
}

function writeSides(out: ByteText, name: FixedText, client: number, server: number): void {
  out.number(client, name);
  out.number(server, F.andServer);
  out.close('}');
}

function writeZeek(out: ByteText, { connState, history }: TraceConnection['zeek']): void {
  F.connState.write(out, connState);
  F.history.write(out, history);
}
