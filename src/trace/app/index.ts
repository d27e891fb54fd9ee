import type { HttpFacts, TlsFacts } from '../../model/trace-app.js';
import type { AppLayer, AppOptions, MakeAppLayer } from '../app-layer.js';
import type { Flows } from '../flows.js';
import { looksLikeRequest, looksLikeResponse } from './http-head.js';
import { Http1 } from './http1.js';
import { Http2, looksLikeHttp2 } from './http2.js';
import { AppState, M } from './state.js';
import { looksLikeTls, Tls } from './tls.js';

const MODE = { undecided: 0, opaque: 1, tls: 2, http1: 3, http2: 4 } as const;
const ENOUGH = 18;

/** Knows protocols by their first bytes, whichever port they use, and lets each read its own. */
class App implements AppLayer {
  private readonly state: AppState;
  private readonly tlsLayer: Tls;
  private readonly http1: Http1;
  private readonly http2: Http2;
  private modes = new Uint8Array(0);

  constructor(
    private readonly flows: Flows,
    options: AppOptions,
  ) {
    this.state = new AppState(flows, options);
    this.tlsLayer = new Tls(this.state);
    this.http1 = new Http1(this.state);
    this.http2 = new Http2(this.state);
  }

  get skip(): Float64Array {
    return this.state.skip;
  }

  open(slot: number): void {
    const { state, flows } = this;
    if (slot >= this.modes.length) {
      const modes = new Uint8Array(flows.capacity);
      modes.set(this.modes);
      this.modes = modes;
      if (state.skip.length < flows.capacity * 2) {
        const skip = new Float64Array(flows.capacity * 2);
        skip.set(state.skip);
        state.skip = skip;
      }
    }
    this.modes[slot] = MODE.undecided;
    state.skip[slot * 2] = 0;
    state.skip[slot * 2 + 1] = 0;
    this.http1.open(slot);
  }

  data(
    slot: number,
    direction: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const key = slot * 2 + direction;
    const mode = this.modes[slot];
    if (mode === MODE.http1) this.readHttp1(key, bytes, from, to, frame, time);
    else if (mode === MODE.tls) this.tlsLayer.data(key, bytes, from, to, frame, time);
    else if (mode === MODE.http2) this.http2.data(key, bytes, from, to, frame, time);
    else if (mode === MODE.opaque) this.opaque(slot, direction, frame, time);
    else this.decide(key, bytes, from, to, frame, time);
  }

  private decide(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const whole = this.state.joined(key, bytes, from, to);
    if (whole !== undefined) this.decideOn(key, whole, 0, whole.length, frame, time);
    else this.decideOn(key, bytes, from, to, frame, time);
  }

  private decideOn(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const slot = key >> 1;
    const isClient = (key & 1) === 0;
    const mode = this.modeOf(isClient, bytes, from, to);
    // A few bytes may still become anything.
    if (mode === MODE.undecided) {
      this.state.keep(key, bytes, from, to, ENOUGH);
      return;
    }
    this.modes[slot] = mode;
    if (mode === MODE.http2) this.http2.begin(slot, false);
    // The other direction may have begun with bytes that could not decide it.
    this.state.forget(key ^ 1);
    this.data(slot, key & 1, bytes, from, to, frame, time);
  }

  private modeOf(isClient: boolean, bytes: Uint8Array, from: number, to: number): number {
    if (to - from >= 3 && looksLikeTls(bytes, from)) return MODE.tls;
    if (isClient) {
      if (looksLikeHttp2(bytes, from, to)) return to - from >= ENOUGH ? MODE.http2 : MODE.undecided;
      if (looksLikeRequest(bytes, from, to)) return to - from >= ENOUGH ? MODE.http1 : MODE.undecided;
    } else if (looksLikeResponse(bytes, from, to)) return MODE.http1;
    const mayBeTls = to - from < 3 && bytes[from] === 22;
    return mayBeTls ? MODE.undecided : MODE.opaque;
  }

  private readHttp1(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const slot = key >> 1;
    const after = this.http1.data(key, bytes, from, to, frame, time);
    if (after === 'http') return;
    if (after === 'http2') {
      this.modes[slot] = MODE.http2;
      this.http2.begin(slot, true);
    } else if (after === 'tunnel') this.modes[slot] = MODE.undecided;
    else if (after === 'websocket') this.ignoreAll(slot);
    else this.state.ignore(key);
  }

  private ignoreAll(slot: number): void {
    this.modes[slot] = MODE.opaque;
    this.state.ignore(slot * 2);
    this.state.ignore(slot * 2 + 1);
  }

  /** Of an unknown protocol: the first bytes of the client, and the first of the server after them. */
  private opaque(slot: number, direction: number, frame: number, time: number): void {
    const { flows, state } = this;
    if (direction === 0) {
      if (flows.frameOf(slot, M.request) === 0) {
        flows.mark(slot, M.request, time, frame);
        flows.mark(slot, M.pending, time, frame);
      }
      state.skip[slot * 2] = Number.POSITIVE_INFINITY;
      return;
    }
    if (flows.frameOf(slot, M.request) === 0) return;
    flows.markOnce(slot, M.response, time, frame);
    state.clearPending(slot);
    this.ignoreAll(slot);
  }

  gap(slot: number, direction: number): void {
    const key = slot * 2 + direction;
    this.state.forget(key);
    switch (this.modes[slot]) {
      case MODE.opaque:
      case MODE.undecided:
        this.modes[slot] = MODE.opaque;
        // What is missing may be the answer.
        if (direction === 1 && this.flows.frameOf(slot, M.request) !== 0) this.ignoreAll(slot);
        return;
      default:
        this.state.ignore(key);
    }
  }

  swap(slot: number): void {
    const { skip } = this.state;
    const client = skip[slot * 2] ?? 0;
    skip[slot * 2] = skip[slot * 2 + 1] ?? 0;
    skip[slot * 2 + 1] = client;
    this.state.swapPartial(slot);
    this.tlsLayer.swap(slot);
    this.http1.swap(slot);
  }

  tls(slot: number): TlsFacts | undefined {
    return this.tlsLayer.facts(slot);
  }

  http(slot: number): HttpFacts | undefined {
    const { http1, http2, flows } = this;
    const frames = http2.facts(slot);
    if (frames === undefined) return http1.has(slot) ? http1.facts(slot) : undefined;
    const upgraded = http1.has(slot) ? http1.facts(slot) : undefined;
    const [requests = 0, responses = 0] = [flows.requests[slot], flows.responses[slot]];
    const none = { pipelined: 0, exchanges: [], idleGaps: [] };
    return { ...(upgraded ?? none), version: '2', requests, responses, http2: frames };
  }

  free(slot: number): void {
    this.state.forget(slot * 2);
    this.state.forget(slot * 2 + 1);
    this.tlsLayer.free(slot);
    this.http1.free(slot);
    this.http2.free(slot);
  }
}

export const makeAppLayer: MakeAppLayer = (flows, options) => new App(flows, options);
