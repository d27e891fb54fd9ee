import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Section, Setting } from '../model/config.js';
import { ParseError } from '../model/errors.js';

/** Deep enough for every setting there is; a file of nothing but brackets ends here. */
const DEEPEST = 5;
/** References to the same node may make a small file endless. */
const MOST_SETTINGS = 1000;

/**
 * Reads a configuration file in YAML: sections of settings, each a text, a list of texts or a section.
 * @throws ParseError that names file, line and field
 */
export function parseConfig(text: string, file: string): Section {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
    uniqueKeys: true,
  });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0]);
    throw new ParseError(`${file}:${line}`, 'YAML', oneLine(problem.message));
  }
  if (document.contents === null) return new Map();
  return new ConfigReader(file, lines).section(document.contents, '', 0);
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

class ConfigReader {
  private count = 0;

  constructor(
    private readonly file: string,
    private readonly lines: LineCounter,
  ) {}

  section(node: unknown, field: string, depth: number): Section {
    if (!isMap(node))
      throw new ParseError(this.where(node, field), 'settings, as `name: value`', typeName(node));
    const settings = new Map<string, Setting>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const place = field === '' ? name : `${field}.${name}`;
      if (name === '') throw new ParseError(this.where(key, field), 'a name', typeName(key));
      settings.set(name, this.setting(value, key, place, depth + 1));
    }
    return settings;
  }

  private setting(node: unknown, key: unknown, field: string, depth: number): Setting {
    // Where nothing stands behind the colon, the line is that of the name.
    const where = this.where(node ?? key, field);
    if (depth > DEEPEST || ++this.count > MOST_SETTINGS) throw new ParseError(where, 'fewer settings', field);
    if (isAlias(node)) throw new ParseError(where, 'the value itself', 'a reference to another place');
    if (isMap(node)) return { where, value: this.section(node, field, depth) };
    if (isSeq(node)) return { where, value: node.items.map((item) => this.text(item, field)) };
    // Nothing behind the colon: a section whose settings are all commented out.
    if (node === null || (isScalar(node) && node.value === null)) return { where, value: new Map() };
    return { where, value: this.text(node, field) };
  }

  private text(node: unknown, field: string): string {
    if (!isScalar(node)) throw new ParseError(this.where(node, field), 'a value', typeName(node));
    // As it was written: `0443` is no other number, and `no` is no boolean.
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }

  private where(node: unknown, field: string): string {
    const at = (node as Node | undefined)?.range?.[0] ?? 0;
    const line = `${this.file}:${this.lines.linePos(at).line}`;
    return field === '' ? line : `${line}: ${field}`;
  }
}

function typeName(node: unknown): string {
  if (isSeq(node)) return 'a list';
  if (isMap(node)) return 'a section';
  return isScalar(node) ? String(node.value) : 'nothing';
}
