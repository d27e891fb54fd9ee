import { describe, expect, it, test } from 'vitest';
import { bundleName, dockerName, storageName } from '../../src/parse/container-names.js';

describe('names of containers, from the files of their runtimes', () => {
  it('docker writes a slash before them', () => {
    expect(dockerName('{"ID":"a1","Name":"/web-1","State":{}}')).toBe('web-1');
  });

  it('the list of a storage has them by id', () => {
    const list = '[{"id":"a1","names":["db"]},{"id":"b2","names":["web","k8s_web"]},{"id":"c3"},7,null]';
    expect(storageName(list, 'b2')).toBe('web');
    expect(storageName(list, 'c3')).toBeUndefined();
    expect(storageName(list, 'd4')).toBeUndefined();
  });

  it('a bundle has them in annotations: of the container before the sandbox', () => {
    const name = (annotations: object) => bundleName(JSON.stringify({ ociVersion: '1.0.2', annotations }));
    expect(
      name({ 'io.kubernetes.cri.sandbox-name': 'web-6f2a', 'io.kubernetes.cri.container-name': 'nginx' }),
    ).toBe('nginx');
    expect(name({ 'io.kubernetes.container.name': 'nginx' })).toBe('nginx');
    expect(name({ 'io.kubernetes.cri.sandbox-name': 'web-6f2a' })).toBe('web-6f2a');
    expect(name({})).toBeUndefined();
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '7',
    '{"Name":7}',
    '{"Name":""}',
    '{"annotations":null}',
    '[{"id":"a1","names":"x"}]',
  ])('%j has none, and is no error', (text) => {
    expect(dockerName(text)).toBeUndefined();
    expect(storageName(text, 'a1')).toBeUndefined();
    expect(bundleName(text)).toBeUndefined();
  });

  it('no name is longer than a name can be', () => {
    expect(dockerName(JSON.stringify({ Name: 'x'.repeat(100_000) }))).toHaveLength(256);
  });
});
