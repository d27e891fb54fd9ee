import type { HttpExchange, HttpFacts } from '../../model/trace-app.js';
import { type ByteText, fixedText } from '../byte-text.js';
import type { Names } from '../names.js';
import { RepeatedField } from '../repeated-field.js';
import { httpJson } from './facts-json.js';
import type { MomentWriter } from './moment-writer.js';

const F = {
  version: new RepeatedField(',"http":{"version":'),
  requests: fixedText(',"requests":'),
  responses: fixedText(',"responses":'),
  pipelined: fixedText(',"pipelined":'),
  connectionClose: new RepeatedField(',"connection_close":'),
  exchanges: fixedText(',"exchanges":['),
  open: fixedText('{'),
  method: new RepeatedField('"method":', ','),
  status: fixedText('"status":'),
  path: new RepeatedField('"path":', ','),
  host: new RepeatedField('"host":', ','),
  request: fixedText('"request":'),
  response: fixedText('"response":'),
  wait: fixedText('"wait_ms":'),
};

/** The field `http` of a connection, as `httpJson` has it. */
export function writeHttp(out: ByteText, http: HttpFacts, moments: MomentWriter, names: Names): void {
  if (isPlain(http)) writePlain(out, http, moments, names);
  else out.fields({ http: httpJson(http, moments.json, names) });
}

const isPlain = ({ keepAlive, upgrade, http2, idleGaps }: HttpFacts): boolean =>
  keepAlive === undefined && upgrade === undefined && http2 === undefined && idleGaps.length === 0;

function writePlain(out: ByteText, http: HttpFacts, moments: MomentWriter, names: Names): void {
  const { connectionClose, exchanges } = http;
  F.version.write(out, http.version);
  out.number(http.requests, F.requests);
  out.number(http.responses, F.responses);
  out.number(http.pipelined, F.pipelined);
  if (connectionClose) F.connectionClose.write(out, connectionClose);
  if (exchanges.length > 0) writeExchanges(out, exchanges, moments, names);
  out.close('}');
}

function writeExchanges(
  out: ByteText,
  exchanges: readonly HttpExchange[],
  moments: MomentWriter,
  names: Names,
): void {
  out.fixed(F.exchanges);
  for (const exchange of exchanges) {
    writeExchange(out, exchange, moments, names);
    out.comma();
  }
  out.close(']');
}

function writeExchange(out: ByteText, exchange: HttpExchange, moments: MomentWriter, names: Names): void {
  const { request, requestEnd = request, response, host, path, method, status } = exchange;
  out.fixed(F.open);
  if (method !== undefined) F.method.write(out, method);
  if (status !== undefined) {
    out.number(status, F.status);
    out.comma();
  }
  if (path !== undefined && !names.redacted) F.path.write(out, path);
  if (host !== undefined) F.host.write(out, names.machine(host));
  if (request) moments.entry(out, F.request, request);
  if (response) moments.entry(out, F.response, response);
  if (requestEnd && response) out.millis(response.time - requestEnd.time, F.wait);
  out.close('}');
}
