import { ParseError } from '../model/errors.js';
import type { Listener } from '../model/listener.js';
import { type Connections, connections, type Millis, millis, type Ratio, ratio } from '../model/units.js';

/** Other limits for one port. */
export interface PortThresholds {
  readonly warnFill?: Ratio;
  readonly criticalFill?: Ratio;
}

export interface Thresholds {
  /** Fill of the accept queue from which it is a warning, and critical. */
  readonly warnFill: Ratio;
  readonly criticalFill: Ratio;
  /** How long the fill must be critical; one look alone does not wait. */
  readonly criticalForMs: Millis;
  /** A connection that has waited this long is critical. */
  readonly oldestWaitMs: Millis;
  /** Queues that hold fewer connections than this are judged only when full. */
  readonly smallCapacity: Connections;
  /** By local port. */
  readonly ports: ReadonlyMap<number, PortThresholds>;
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  warnFill: ratio(0.7),
  criticalFill: ratio(0.9),
  criticalForMs: millis(1000),
  oldestWaitMs: millis(1000),
  smallCapacity: connections(4),
  ports: new Map(),
};

/** The thresholds that hold for one listener: those of its port over the general ones. An override of one moves the other where they would cross. */
export function thresholdsFor({ local }: Listener, thresholds: Thresholds): Thresholds {
  const port = local.kind === 'ip' ? local.port : undefined;
  const own = port === undefined ? undefined : thresholds.ports.get(port);
  if (own === undefined) return thresholds;
  const warnFill = own.warnFill ?? ratio(Math.min(thresholds.warnFill, own.criticalFill ?? Infinity));
  const criticalFill = own.criticalFill ?? ratio(Math.max(thresholds.criticalFill, warnFill));
  return { ...thresholds, warnFill, criticalFill };
}

const WHERE = 'port threshold';
const OVERRIDE = /^(\d{1,5})=(\d+(?:\.\d+)?)?%?(?::(\d+(?:\.\d+)?)?%?)?$/;

/**
 * Reads `443=50:80`: port 443 warns at 50 % and is critical at 80 %; either may be left out (`443=50`, `443=:80`).
 * @throws ParseError
 */
export function parsePortOverride(text: string): [port: number, thresholds: PortThresholds] {
  const [, portText = '', warn, critical] = OVERRIDE.exec(text.trim()) ?? [];
  const port = Number(portText);
  if (port < 1 || port > 65535 || (warn === undefined && critical === undefined)) {
    throw new ParseError(WHERE, 'PORT=WARN:CRITICAL in percent, as 443=50:80', text);
  }
  if (warn !== undefined && critical !== undefined && Number(warn) > Number(critical)) {
    throw new ParseError(WHERE, 'a warning at or below the critical percentage', text);
  }
  return [
    port,
    {
      ...(warn !== undefined && { warnFill: readShare(warn, text) }),
      ...(critical !== undefined && { criticalFill: readShare(critical, text) }),
    },
  ];
}

function readShare(percent: string, text: string): Ratio {
  const share = Number(percent) / 100;
  if (share > 0 && share <= 10) return ratio(share);
  throw new ParseError(WHERE, 'percentages above 0 and up to 1000', text);
}
