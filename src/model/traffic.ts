import type { Connections } from './units.js';

/**
 * What data did on an open connection while it was watched: a guess. `push`: they went one way only, several times (server-sent events, streams,
 * logs that are shipped). `two_way`: both ways without the rhythm of requests and answers (WebSockets). `silent`: none moved. `unknown`: watched for
 * too short a time, or the looks do not tell.
 */
export const TRAFFIC_SHAPES = ['push', 'two_way', 'request_response', 'silent', 'unknown'] as const;
export type TrafficShape = (typeof TRAFFIC_SHAPES)[number];
export type TrafficShapes = Readonly<Record<TrafficShape, Connections>>;
