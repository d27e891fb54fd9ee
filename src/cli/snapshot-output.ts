import type { TableStyle } from '../render/columns.js';
import { GROUP_WRITERS, toGroupsJson } from '../render/groups.js';
import type { Names } from '../render/names.js';
import { snapshotCsv } from '../render/snapshot-csv.js';
import { snapshotJson, snapshotNdjson } from '../render/snapshot-json.js';
import { snapshotTable } from '../render/snapshot-table.js';
import type { SnapshotFlags } from './snapshot-flags.js';
import type { View } from './snapshot-view.js';

type OutputFlags = Pick<SnapshotFlags, 'format'> & Partial<Pick<SnapshotFlags, 'group-by'>>;

/** The view in the format that was asked for, in small strings, or bytes. */
export function writeView(
  { report, listeners, rows }: View,
  flags: OutputFlags,
  names: Names,
  style: TableStyle,
): Iterable<string | Uint8Array> {
  const by = flags['group-by'];
  if (by !== undefined) {
    const groups = toGroupsJson(report, { by, rows: rows ?? new Uint32Array(), names });
    return GROUP_WRITERS[flags.format](groups, style);
  }
  const options = { names, listeners, ...(rows && { connections: rows }) };
  switch (flags.format) {
    case 'json':
      return snapshotJson(report, options);
    case 'ndjson':
      return snapshotNdjson(report, { ...options, listeners: true });
    case 'csv':
      return snapshotCsv(report, options);
    case 'table':
      return snapshotTable(report, { ...options, ...style });
  }
}
