import type { PoolsReport } from '../../model/pools.js';
import type { PoolJson } from '../../model/pools-json.js';
import { type CsvValue, csvRecord } from '../csv.js';
import type { Names } from '../names.js';
import { learnNames, poolJson } from './json.js';

/** Names of the JSON, and of what lies within it with an underscore. */
const COLUMNS: readonly (readonly [title: string, value: (pool: PoolJson) => CsvValue])[] = [
  ['direction', (pool) => pool.direction],
  ['pid', (pool) => pool.pid],
  ['process', (pool) => pool.process],
  ['owner', (pool) => pool.owner],
  ['netns', (pool) => pool.netns],
  ['remote', (pool) => pool.remote],
  ['local', (pool) => pool.local],
  ['service', (pool) => pool.service],
  ['open', (pool) => pool.open],
  ['busy', (pool) => pool.busy],
  ['idle', (pool) => pool.idle],
  ['unsure', (pool) => pool.unsure],
  ['connecting', (pool) => pool.connecting],
  ['waiting', (pool) => pool.waiting],
  ['close_wait', (pool) => pool.close_wait],
  ['close_wait_stuck', (pool) => pool.close_wait_stuck],
  ['fin_wait', (pool) => pool.fin_wait],
  ['last_ack', (pool) => pool.last_ack],
  ['time_wait', (pool) => pool.time_wait],
  ['highest', (pool) => pool.highest],
  ['highest_busy', (pool) => pool.highest_busy],
  ['created', (pool) => pool.created],
  ['closed', (pool) => pool.closed],
  ['created_per_second', (pool) => pool.created_per_second],
  ['closed_per_second', (pool) => pool.closed_per_second],
  ['reused', (pool) => pool.reused],
  ['connect_failed', (pool) => pool.connect_failed],
  ['age_ms_p50', (pool) => pool.age_ms?.p50],
  ['age_ms_p95', (pool) => pool.age_ms?.p95],
  ['age_at_least', (pool) => pool.age_at_least],
  ['idle_ms_p50', (pool) => pool.idle_ms?.p50],
  ['idle_ms_p95', (pool) => pool.idle_ms?.p95],
  ['share_of_new', (pool) => pool.share_of_new],
  ['long_lived', (pool) => pool.long_lived],
  ['traffic_push', (pool) => pool.traffic?.push],
  ['traffic_two_way', (pool) => pool.traffic?.two_way],
  ['traffic_request_response', (pool) => pool.traffic?.request_response],
  ['traffic_silent', (pool) => pool.traffic?.silent],
  ['idle_close_ms', (pool) => pool.idle_close_ms],
  ['idle_close_by', (pool) => pool.idle_close_by],
  ['lost_requests', (pool) => pool.lost_requests],
  ['tcp_keepalive', (pool) => pool.tcp_keepalive],
  ['no_tcp_keepalive', (pool) => pool.no_tcp_keepalive],
  ['rtt_ms_p50', (pool) => pool.rtt_ms?.p50],
  ['bytes_sent', (pool) => pool.bytes_sent],
  ['bytes_received', (pool) => pool.bytes_received],
  ['retransmissions', (pool) => pool.retransmissions],
  ['hikari_total', (pool) => pool.hikari?.total],
  ['hikari_active', (pool) => pool.hikari?.active],
  ['hikari_idle', (pool) => pool.hikari?.idle],
  ['hikari_waiting', (pool) => pool.hikari?.waiting],
  ['findings', (pool) => pool.findings.join(' ')],
];

/** A record for each pool. */
export function* poolsCsv(report: PoolsReport, names: Names): Generator<string> {
  learnNames(report, names);
  yield csvRecord(COLUMNS.map(([title]) => title));
  for (const index of report.pools.keys()) {
    const pool = poolJson(report, index, names);
    yield csvRecord(COLUMNS.map(([, value]) => value(pool)));
  }
}
