import { describe, expect, it } from 'vitest';
import { csvField, csvRecord } from '../../src/render/csv.js';
import { snapshotCsv } from '../../src/render/snapshot-csv.js';
import { allRows, sampleReport } from './sample.js';

describe('csvField', () => {
  it.each([
    ['nginx', 'nginx'],
    [443, '443'],
    [-5, '-5'],
    [0.5, '0.5'],
    [true, 'true'],
    [undefined, ''],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    [' edge', '" edge"'],
    ['=1+1', "'=1+1"],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\\t=1"],
    ['\r=1', "'\\r=1"],
    [' =1', `' =1`],
    ['＝1', "'＝1"],
    ['two\nlines', 'two\\nlines'],
  ])('%j becomes %s', (value, field) => {
    expect(csvField(value)).toBe(field);
  });

  it('ends records with CRLF', () => {
    expect(csvRecord(['a', 1, undefined])).toBe('a,1,\r\n');
  });
});

describe('snapshotCsv', () => {
  const records = (...options: Parameters<typeof snapshotCsv>) =>
    [...snapshotCsv(...options)].join('').trimEnd().split('\r\n');

  it('has one record per listener, empty where unknown', () => {
    const [head, first, second] = records(sampleReport(), { listeners: true });
    expect(head).toBe(
      'protocol,state,local,local_address,local_port,netns,inode,cookie,process,pid,accept_queue_length,accept_queue_backlog,accept_queue_capacity,accept_queue_fill,syn_queue_length,waiting_count,waiting_oldest_ms,dropped_segments,group_members,verdict,severity,findings,advice',
    );
    expect(first).toBe(
      'tcp,listen,0.0.0.0:443,0.0.0.0,443,4026531840,81234,3f70b,nginx,813 812,129,128,129,1,3,129,4100,37,,full,critical,accept_queue_full,nginx/812 does not call accept() fast enough: look at its workers',
    );
    expect(second).toBe('tcp,listen,127.0.0.53%lo:53,127.0.0.53%lo,53,,,,,,2,,,,,,,,,unknown_limit,,,');
  });

  it('has as many fields in each record as in the head, listeners and connections together', () => {
    const all = records(sampleReport(), { listeners: true, connections: allRows });
    expect(all).toHaveLength(9);
    expect(new Set(all.map((record) => record.split(',').length)).size).toBe(1);
    expect(all[5]).toContain('established,10.0.0.5:443,10.0.0.5,443,4026531840,9001,,nginx,812,');
  });

  it('keeps a formula in a process name harmless', () => {
    const [, first] = records(sampleReport({ processName: "=cmd|' /C'" }), { listeners: true });
    expect(first).toContain(`,'=cmd|' /C',`);
  });
});
