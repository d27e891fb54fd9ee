import type { Rule } from '../../model/findings.js';

/** Why a finding matters, in one sentence: what people notice of it. */
const WHY: Partial<Record<Rule, string>> = {
  accept_queue_filling:
    'each connection in this queue is a client that waits and that the application does not know of',
  accept_queue_full:
    'further clients are not answered: their SYNs are dropped, and they try again after 1, 2, 3 s or give up',
  accept_queue_overflow:
    'clients whose segments were dropped waited a second or more for their connection, or never got it',
  stopped_acceptor: 'clients connect, send their request and hear nothing until they give up',
  threads_blocked:
    'clients that want to talk wait for clients that do not: more load changes nothing, idle connections do',
  threads_busy: 'each new request waits until others end',
  connection_limit: 'clients connect, and wait in the queue until somebody else leaves',
  slow_acceptor: 'every client waits in the queue before the application even knows of it',
  burst: 'the queue may be full between two looks',
  small_backlog: 'a short burst is enough to turn clients away, though the application is fast enough',
  syn_queue_full: 'new clients are answered with SYN cookies, or not at all',
  syn_cookies:
    'connections made with SYN cookies lose options such as window scaling where timestamps are off',
  unix_queue_full: 'clients block in connect(), or fail with EAGAIN',
  udp_drops: 'datagrams are lost, and their senders are not told',
  fd_limit: 'accept(), open() and connect() fail with EMFILE, and nothing on the wire says so',
  dropped_segments: 'a dropped SYN costs a client at least a second',
  oldest_wait: 'that client has seen nothing since it connected',
  unknown_limit: 'without the limit nobody can say how full the queue is',
  owners_hidden: 'findings cannot name the process',
  pool_exhausted: 'callers wait inside the application for a free connection, which no socket shows',
  pool_waiting: 'whatever needs one of these connections waits as long as they do',
  pool_churn:
    'each connection costs a round trip or three and, where this side closes first, a port for 60 s',
  request_limit: 'each new connection costs a round trip or three, and its first requests are slow',
  pool_leak: 'each connection holds memory and a descriptor here, and a place at the server',
  pool_oversized: 'idle connections take places at the server that others may need',
  pool_uneven: 'one server does the work of several, and the others idle',
  unseen_connections:
    'all other findings are about what was seen: churn, errors and losses of those connections are not among them',
  reconnect_wave: 'many handshakes at once are slow, and may overflow the accept queue of the server',
  close_wait_leak:
    'each of them holds a descriptor until the process ends: at its limit it can accept and open nothing more',
  keepalive_race:
    'a request that is sent while the other side closes the connection is answered with a reset: a sporadic 502 or "connection reset by peer"',
  no_keepalive:
    'when the peer or a middle box forgets such a connection, the next request on it waits for minutes and then fails',
  keepalive_unanswered: 'requests on these connections will wait for minutes and then fail',
  fin_wait_2: 'each of them holds a descriptor, and no timeout ends it while the descriptor is open',
  last_ack: 'the peer, or the way to it, is gone; the kernel tries for minutes',
  orphans: 'above tcp_max_orphans the kernel resets connections that still have data to deliver',
  ephemeral_ports:
    'when none is left, connect() to this destination fails with EADDRNOTAVAIL; it gets slower before',
  time_wait_overflow:
    'connections end without TIME-WAIT: late segments are answered with a RST, or reach a later connection',
  app_not_reading:
    'the peer is held up as soon as the receive buffer is full, and whoever waits for the answer waits with it',
  peer_not_reading:
    'what was written waits in the send buffer; when that is full, write() blocks or fails with EAGAIN',
  zero_window: 'nothing can be sent until the peer reads',
  receive_window_limited: 'throughput is what the receiver lets through, not what the network could carry',
  send_buffer_limited: 'throughput is bounded by the send buffer, not by the network',
  memory_pressure: 'the kernel shrinks windows and drops segments of all connections of the host',
  connect_timeout: 'callers wait for seconds before they learn that nobody answers',
  connect_refused: 'each attempt fails at once: the port is closed, or a firewall rejects it',
  retry_storm:
    'attempts without back-off keep a server that is in trouble from recovering, and cost ports and processor time here',
};

export const whyOf = (rule: Rule): string => WHY[rule] ?? '';
