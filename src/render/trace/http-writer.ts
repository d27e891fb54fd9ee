import type { HttpExchange, HttpFacts } from '../../model/trace.js';
import { type ByteText, fixedText } from '../byte-text.js';
import type { Names } from '../names.js';
import { httpJson } from './facts-json.js';
import type { MomentWriter } from './moment-writer.js';

const F = {
  version: fixedText(',"http":{"version":'),
  requests: fixedText(',"requests":'),
  responses: fixedText(',"responses":'),
  pipelined: fixedText(',"pipelined":'),
  connectionClose: fixedText(',"connection_close":'),
  exchanges: fixedText(',"exchanges":['),
  open: fixedText('{'),
  method: fixedText('"method":'),
  status: fixedText('"status":'),
  path: fixedText('"path":'),
  host: fixedText('"host":'),
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
  out.fixed(F.version);
  out.string(http.version);
  out.fixed(F.requests);
  out.number(http.requests);
  out.fixed(F.responses);
  out.number(http.responses);
  out.fixed(F.pipelined);
  out.number(http.pipelined);
  if (connectionClose) {
    out.fixed(F.connectionClose);
    out.string(connectionClose);
  }
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
  if (method !== undefined) {
    out.fixed(F.method);
    out.string(method);
    out.comma();
  }
  if (status !== undefined) {
    out.fixed(F.status);
    out.number(status);
    out.comma();
  }
  if (path !== undefined && !names.redacted) {
    out.fixed(F.path);
    out.string(path);
    out.comma();
  }
  if (host !== undefined) {
    out.fixed(F.host);
    out.string(names.machine(host));
    out.comma();
  }
  if (request) moments.entry(out, F.request, request);
  if (response) moments.entry(out, F.response, response);
  if (requestEnd && response) {
    out.fixed(F.wait);
    out.millis(response.time - requestEnd.time);
  }
  out.close('}');
}
