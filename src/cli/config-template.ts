import { METRIC_SPECS } from '../analyze/check/metrics.js';
import { METRICS } from '../model/check.js';

const metricLines = METRICS.filter((metric) => metric !== 'listener').map((metric) => {
  const { says, warning, critical, isPercent } = METRIC_SPECS[metric];
  const range = (text: string | undefined, fallback: string) => `"${text ?? fallback}"`;
  const ranges = [
    `warning: ${range(warning, isPercent ? '@70:' : '1000')}`,
    `critical: ${range(critical, isPercent ? '@90:' : '10000')}`,
  ];
  const isDefault = ['accept-queue', 'oldest-wait', 'overflows'].includes(metric);
  return `    # ${says}\n    ${isDefault ? '' : '# '}${metric}: {${isDefault ? defaults(warning, critical) : ranges.join(', ')}}`;
});

function defaults(warning: string | undefined, critical: string | undefined): string {
  const parts = [warning && `warning: "${warning}"`, critical && `critical: "${critical}"`];
  return parts.filter(Boolean).join(', ');
}

/** What `sockwatch check --print-config` writes: every setting, those that are not the default commented out. */
export const CONFIG_TEMPLATE = `# Configuration of sockwatch: /etc/sockwatch/config.yaml, or sockwatch/config.yaml in $XDG_CONFIG_HOME (~/.config).
# Flags on the command line come before what stands here.

# sockwatch check
check:
  # Ranges are those of the monitoring plugins: "10" alerts above 10, "10:" below 10, "@80:" from 80 on.
  # accept-queue, syn-queue, ephemeral-ports and tcp-memory are in percent; the others are counts or seconds.
  metrics:
${metricLines.join('\n')}

  # Only these listeners; all where none is named.
  # port: [443, 8080]
  # listener: ["127.0.0.1:5432"]
  # unix: [/run/php/php-fpm.sock]
  # filter: "-remote:10.0.0.0/8"

  # Critical when nothing listens there, or not that process.
  # expect: ["443=nginx", "127.0.0.1:5432"]

  # What the metric "connections" counts by: total, process, remote, state, listener.
  # by: total

  # One look misses bursts: look several times, the highest value counts.
  # samples: 10
  # every: 100ms
  # Between them accept queues are sampled so often per second (netlink only); 0: not at all.
  # sample-rate: 100

  # A problem counts after 2 of the last 3 runs; print it again only after 30 minutes.
  # for: 2/3
  # renotify: 30m

  # timeout: 10s
  # format: nagios
  # output: /var/lib/node_exporter/textfile_collector/sockwatch.prom
  # state: /var/lib/sockwatch/check.json
  # source: auto

# sockwatch live
live:
  # interval: 1s
  # sample-rate: 100
  # Fill of an accept queue, in percent, that is a warning, and critical; and other limits for single ports.
  # warn: 70
  # critical: 90
  # port: ["443=50:80"]
  # filter: "-state:time-wait"
  # on-alert: "/usr/local/bin/page-me"
`;
