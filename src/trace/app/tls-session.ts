import type { TlsFacts } from '../../model/trace-app.js';
import type { Moment, Nanos } from '../../model/trace-moment.js';
import { type Hello, parseClientHello, versionText } from './hello.js';
import { type AppState, M } from './state.js';

export const TLS13 = 0x0304;

export interface Side {
  /** Its records are encrypted from here on. */
  encrypted: boolean;
  /** Handshake messages over records: those of a flight that has not been read to its end. */
  handshake: Uint8Array | undefined;
}

export interface Session {
  readonly sides: readonly [Side, Side];
  clientHello: Uint8Array | undefined;
  serverHello: Hello | undefined;
  version: number;
  helloRetry: boolean;
  /** In 1.3 the client's first encrypted record, in 1.2 the later of both Finished. */
  finishedBy: number;
  alert: TlsFacts['alert'];
  sawCertificate: boolean;
}

export const makeSession = (): Session => ({
  sides: [
    { encrypted: false, handshake: undefined },
    { encrypted: false, handshake: undefined },
  ],
  clientHello: undefined,
  serverHello: undefined,
  version: 0,
  helloRetry: false,
  finishedBy: 0,
  alert: undefined,
  sawCertificate: false,
});

/** What the handshake has shown so far, and when. */
export function tlsFacts(session: Session, state: AppState, slot: number): TlsFacts {
  const { flows } = state;
  const offer = session.clientHello && parseClientHello(session.clientHello, 0, session.clientHello.length);
  const answer = session.serverHello;
  const version = answer?.version ?? offer?.version;
  const alpn = answer?.alpn[0] ?? offer?.alpn[0];
  const mark = (mark: number): Moment | undefined => {
    const frame = flows.frameOf(slot, mark);
    return frame === 0 ? undefined : { frame, time: flows.timeOf(slot, mark) as Nanos };
  };
  const clientHello = mark(M.clientHello);
  const serverHello = mark(M.serverHello);
  const client = mark(M.clientCcs);
  const server = mark(M.serverCcs);
  const finished = mark(M.finished);
  return {
    ...(clientHello && { clientHello }),
    ...(serverHello && { serverHello }),
    ...((client ?? server) && {
      changeCipherSpec: { ...(client && { client }), ...(server && { server }) },
    }),
    ...(finished && { finished }),
    ...(version !== undefined && { version: versionText(version) }),
    ...(offer?.sni !== undefined && { sni: offer.sni }),
    ...(alpn !== undefined && { alpn }),
    ...(offer && offer.alpn.length > 0 && { alpnOffered: offer.alpn }),
    ...(answer && { cipher: answer.cipher }),
    ...(answer && offer && { resumed: isResumed(session, offer, answer) }),
    ...(session.helloRetry && { helloRetry: true }),
    ...(offer?.hasEarlyData && { earlyData: true }),
    ...(isUnfinished(state, slot) && { unfinished: true }),
    ...(session.alert && { alert: session.alert }),
  };
}

/** Not where a side was given up for bytes that the capture lacks: they may have ended the handshake. */
function isUnfinished(state: AppState, slot: number): boolean {
  const { flows } = state;
  const hasEnded = flows.frameOf(slot, M.finished) !== 0 || flows.frameOf(slot, M.request) !== 0;
  const isRead = [slot * 2, slot * 2 + 1].every((key) => state.skip[key] !== Number.POSITIVE_INFINITY);
  return flows.frameOf(slot, M.clientHello) !== 0 && !hasEnded && isRead;
}

/** 1.3: the server took the pre-shared key. Before: it repeats the session id, or went on without a certificate. */
function isResumed(session: Session, offer: Hello, answer: Hello): boolean {
  if (answer.version === TLS13) return answer.hasPsk;
  const isSameId =
    offer.sessionId.length > 0 &&
    offer.sessionId.length === answer.sessionId.length &&
    offer.sessionId.every((byte, index) => byte === answer.sessionId[index]);
  return isSameId && !session.sawCertificate;
}
