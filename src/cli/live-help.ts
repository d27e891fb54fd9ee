export const LIVE_SUMMARY = 'Watch listen queues, connections and alerts, refreshed every second.';

const PARAGRAPHS = [
  `In a terminal: a screen with the listeners, the worst first; ? shows its keys, q quits. Elsewhere: at each refresh a
line for every listener that is not ok, for every event of an alert, and for what came, went or changed hands. With --format ndjson each refresh is one
sockwatch.snapshot/1 object on one line, and each event one sockwatch.alert/1 or sockwatch.event/1.`,
  `Connections that end between two looks are heard of too, as the kernel tells of every one: the key e shows them by listener, process and
remote, NDJSON has them under "closed". What is missing is counted. --no-closed leaves them out.`,
  `--on-alert runs a program for each event (raised, changed, cleared), one at a time and without a shell: blanks
separate its arguments, quotes and backslashes keep them together, nothing is expanded. The event comes as JSON on its
stdin and in SOCKWATCH_ALERT_PHASE, _RULE, _SEVERITY, _SUBJECT, _MESSAGE, _TIME and _HOST. While it runs, a newer event
of the same alert replaces one that waits.`,
  `Between two looks accept queues are sampled up to 100 times per second (--sample-rate), where the kernel itself is the
source (netlink): peaks, and bursts of 20 ms, are in the gauges, charts, alerts and recordings. The longest time between
two samples is told; what was shorter may have been missed, but not its dropped segments.`,
  `--netns looks into other network namespaces (one, several as web,shop, or all): of each of them, up to 128, queues are sampled and connections that end are heard of, as
in our own. Where that takes more than a tenth of a core samples become rarer, which is told, and --sample-rate 0 asks for none.`,
];

/** Lines are wrapped by the help of the terminal's width: ours mean nothing. */
export const LIVE_DESCRIPTION = PARAGRAPHS.map((text) => text.replaceAll('\n', ' ')).join('\n\n');

const example = (description: string, words: string) => ({
  description,
  command: `<%= config.bin %> <%= command.id %> ${words}`.trimEnd(),
});

export const LIVE_EXAMPLES = [
  example('See it at work, on an idle machine and without root', '--demo'),
  example('The screen', ''),
  example('Only one port, four times a second', "--filter 'port:443' --interval 250ms"),
  example('Once a minute, and yet every burst', '--format lines --interval 1m --sample-rate 100'),
  example('Ten minutes into a log', '--format lines --duration 10m >> queues.log'),
  example('Every container and namespace of this host', '--netns all'),
  example(
    'Who has how many short connections, and who closes them',
    "--format ndjson | jq '.closed.groups[]'",
  ),
  example('For another program', '--format ndjson --count 60'),
  example('Tell someone', `--on-alert "notify --topic 'accept queues'"`),
];
