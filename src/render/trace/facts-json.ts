import type { CloseFacts } from '../../model/trace.js';
import type { HttpExchange, HttpFacts, QuicFacts, TlsFacts } from '../../model/trace-app.js';
import type {
  CloseJson,
  ExchangeJson,
  HttpJson,
  MomentJson,
  QuicJson,
  TlsJson,
} from '../../model/trace-json.js';
import type { Moment } from '../../model/trace-moment.js';
import type { Names } from '../names.js';
import { toMs } from './time.js';

type At = (moment: Moment) => MomentJson;

export function tlsJson(tls: TlsFacts, at: At, names: Names): TlsJson {
  const { clientHello, serverHello, changeCipherSpec, finished, alert } = tls;
  const ccs = changeCipherSpec?.client ?? changeCipherSpec?.server;
  return {
    ...(clientHello && { client_hello: at(clientHello) }),
    ...(serverHello && { server_hello: at(serverHello) }),
    ...(ccs && { change_cipher_spec: at(ccs) }),
    ...(finished && { finished: at(finished) }),
    ...given(tls, ['version', 'alpn', 'cipher', 'resumed']),
    ...(tls.sni !== undefined && { sni: names.machine(tls.sni) }),
    ...(tls.alpnOffered && { alpn_offered: [...tls.alpnOffered] }),
    ...(tls.helloRetry && { hello_retry: true }),
    ...(tls.earlyData && { early_data: true }),
    ...(alert && { alert: { ...alert, at: at(alert.at) } }),
  };
}

/** The fields that are known, as they are. */
function given<T extends object, Key extends keyof T>(facts: T, keys: readonly Key[]): Partial<Pick<T, Key>> {
  const known: Partial<Pick<T, Key>> = {};
  for (const key of keys) if (facts[key] !== undefined) known[key] = facts[key];
  return known;
}

export function httpJson(http: HttpFacts, at: At, names: Names): HttpJson {
  const { keepAlive, connectionClose, upgrade, http2, idleGaps, exchanges } = http;
  return {
    version: http.version,
    requests: http.requests,
    responses: http.responses,
    pipelined: http.pipelined,
    ...(keepAlive && {
      keep_alive: {
        ...(keepAlive.timeoutSeconds !== undefined && { timeout_seconds: keepAlive.timeoutSeconds }),
        ...(keepAlive.max !== undefined && { max: keepAlive.max }),
      },
    }),
    ...(connectionClose && { connection_close: connectionClose }),
    ...(upgrade && { upgrade: { to: upgrade.to, at: at(upgrade.at) } }),
    ...(http2 && {
      http2: {
        streams: http2.streams,
        ...(http2.goAway && { goaway: { ...http2.goAway, at: at(http2.goAway.at) } }),
      },
    }),
    ...(idleGaps.length > 0 && {
      idle_gaps: idleGaps.map(({ start, idle }) => ({ start: at(start), idle_ms: toMs(idle) })),
    }),
    ...(exchanges.length > 0 && {
      exchanges: exchanges.map((exchange) => exchangeJson(exchange, at, names)),
    }),
  };
}

function exchangeJson(exchange: HttpExchange, at: At, names: Names): ExchangeJson {
  const { request, requestEnd = request, response, host, path, method, status } = exchange;
  const json: ExchangeJson = {};
  if (method !== undefined) json.method = method;
  if (status !== undefined) json.status = status;
  if (path !== undefined && !names.redacted) json.path = path;
  if (host !== undefined) json.host = names.machine(host);
  if (request) json.request = at(request);
  if (response) json.response = at(response);
  if (requestEnd && response) json.wait_ms = toMs(response.time - requestEnd.time);
  return json;
}

export function quicJson(quic: QuicFacts, at: At, names: Names): QuicJson {
  const { initial, serverInitial, handshakeDone, retry, versionNegotiation, zeroRtt, close } = quic;
  return {
    ...given(quic, ['version', 'dcid', 'scid', 'alpn']),
    ...(quic.sni !== undefined && { sni: names.machine(quic.sni) }),
    ...(initial && { initial: at(initial) }),
    ...(serverInitial && { server_initial: at(serverInitial) }),
    ...(handshakeDone && { handshake_done: at(handshakeDone) }),
    ...(retry && { retry: at(retry) }),
    ...(versionNegotiation && { version_negotiation: at(versionNegotiation) }),
    ...(zeroRtt && { zero_rtt: at(zeroRtt) }),
    ...(close && { close: { from: close.from, at: at(close.at) } }),
    history: quic.history,
  };
}

export function closeJson(close: CloseFacts, at: At): CloseJson {
  const { firstFin, simultaneous, idleClose, race, resetAfterRequest: reset, gaveUp, timeWait } = close;
  const json: CloseJson = {};
  if (firstFin) json.first_fin = firstFin;
  if (simultaneous) json.simultaneous = true;
  if (idleClose) json.idle_close = { by: idleClose.by, idle_ms: toMs(idleClose.idle) };
  if (race) json.race = { request: at(race.request), close: at(race.close) };
  if (reset) json.reset_after_request = { request: at(reset.request), rst: at(reset.rst), by: reset.by };
  if (gaveUp)
    json.gave_up = { waited_ms: toMs(gaveUp.waited), request: at(gaveUp.request), close: at(gaveUp.close) };
  if (timeWait) json.time_wait = timeWait;
  return json;
}
