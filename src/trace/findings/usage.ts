import type { TraceFinding } from '../../model/trace-findings.js';
import { type FindingRule, framesOf, seconds } from './facts.js';

export const race: FindingRule = ({ close, http }) => {
  const found = close?.race;
  if (found === undefined) return undefined;
  const idle = close?.idleClose?.idle ?? http?.idleGaps.at(-1)?.idle;
  return {
    rule: 'keepalive_race',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf([found.request, found.close]),
    message: `a request crossed the server's close of a connection that was kept alive, and was not answered`,
    evidence: [
      `request in frame ${found.request.frame}, close in frame ${found.close.frame}`,
      ...(idle === undefined ? [] : [`it had been idle for ${seconds(idle)}`]),
    ],
    advice: 'let the client close idle connections sooner than the server does, and retry safe requests once',
  };
};

export const resetAfterRequest: FindingRule = ({ close }) => {
  const found = close?.resetAfterRequest;
  if (found === undefined) return undefined;
  return {
    rule: 'reset_after_request',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf([found.request, found.rst]),
    message: `the ${found.by} reset the connection while a request had no response`,
    evidence: [`RST ${seconds(found.rst.time - found.request.time)} after the request`],
    advice: 'a crash or restart of the server, a proxy timeout, or a close with unread data',
  };
};

export const gaveUp: FindingRule = ({ close }) => {
  const found = close?.gaveUp;
  if (found === undefined) return undefined;
  return {
    rule: 'request_timeout',
    severity: 'warning',
    sure: 'likely',
    frames: framesOf([found.request, found.close]),
    message: `the client gave up waiting for a response after ${seconds(found.waited)}: its timeout`,
    evidence: [`request in frame ${found.request.frame}, close in frame ${found.close.frame}`],
  };
};

const UNSAFE = new Set(['POST', 'PATCH']);

interface Failed {
  readonly time: number;
  readonly frame: number;
  readonly id: number;
}

/** RFC 9110 section 9.2.2: these are not idempotent. */
export const isUnsafe = (method: string | undefined): boolean => method !== undefined && UNSAFE.has(method);

const MOST_FAILED = 1000;
const RETRY_WITHIN_NS = 60e9;

/** Requests that must not be sent twice, and were: after a reset or a timeout, without an Idempotency-Key. */
export class UnsafeRetries {
  private readonly failed = new Map<string, Failed>();

  /** @param peers names client and server. Gives the finding, and whether a request of this connection has failed. */
  check(
    { id, http, close }: Parameters<FindingRule>[0],
    peers: string,
  ): { finding: TraceFinding | undefined; hasFailed: boolean } {
    let finding: TraceFinding | undefined;
    for (const { method, path, request, hasIdempotencyKey } of http?.exchanges ?? []) {
      if (!isUnsafe(method) || request === undefined || hasIdempotencyKey) continue;
      const before = this.failed.get(`${peers} ${method} ${path}`);
      if (before === undefined || request.time < before.time || request.time - before.time > RETRY_WITHIN_NS)
        continue;
      finding = {
        rule: 'unsafe_retry',
        severity: 'warning',
        sure: 'likely',
        frames: [before.frame, request.frame],
        message: `a ${method} that was cut off in connection ${before.id} was sent again without an Idempotency-Key`,
        evidence: [`${seconds(request.time - before.time)} after the first, to the same path`],
        advice: 'it may have been done twice: send an Idempotency-Key, or do not retry',
      };
    }
    const last = http?.exchanges.at(-1);
    const isCutOff = close?.race ?? close?.resetAfterRequest ?? close?.gaveUp;
    const hasFailed = isCutOff !== undefined && last?.status === undefined && isUnsafe(last?.method);
    if (hasFailed && last?.request !== undefined && this.failed.size < MOST_FAILED)
      this.failed.set(`${peers} ${last.method} ${last.path}`, {
        time: last.request.time,
        frame: last.request.frame,
        id,
      });
    return { finding, hasFailed };
  }
}
