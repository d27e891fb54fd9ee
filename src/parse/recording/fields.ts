import { ParseError } from '../../model/errors.js';

/** Reads the fields of one line. Nothing in it is believed: each has its type and its bounds, else ParseError with the field's name. */
export class Fields {
  constructor(
    private readonly fields: Readonly<Record<string, unknown>>,
    private readonly where: string,
  ) {}

  static parse(text: string, where: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new ParseError(where, 'a line of JSON', text);
    }
    return Fields.of(value, where);
  }

  static of(value: unknown, where: string): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ParseError(where, 'an object', String(JSON.stringify(value)).slice(0, 100));
    return new Fields(value as Record<string, unknown>, where);
  }

  has(name: string): boolean {
    return this.fields[name] !== undefined;
  }

  number(name: string): number {
    return asNumber(this.fields[name], `${this.where}, ${name}`);
  }

  text(name: string): string {
    return asText(this.fields[name], `${this.where}, ${name}`);
  }

  oneOf<T extends string>(name: string, options: readonly T[]): T {
    const text = this.text(name);
    const found = options.find((option) => option === text);
    if (found === undefined) throw new ParseError(`${this.where}, ${name}`, options.join(', '), text);
    return found;
  }

  list(name: string): readonly unknown[] {
    const value = this.fields[name];
    if (Array.isArray(value)) return value;
    throw new ParseError(`${this.where}, ${name}`, 'a list', String(JSON.stringify(value)));
  }

  /** Numbers by name. */
  numbers(name: string): Record<string, number> {
    const value = this.fields[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ParseError(`${this.where}, ${name}`, 'an object', String(JSON.stringify(value)));
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, asNumber(one, `${this.where}, ${name}.${key}`)]),
    );
  }
}

export function asNumber(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ParseError(where, 'a number', String(JSON.stringify(value)));
}

/** Longer than any path, name or message. */
const LONGEST_TEXT = 65_536;

export function asText(value: unknown, where: string): string {
  if (typeof value === 'string' && value.length <= LONGEST_TEXT) return value;
  throw new ParseError(where, 'a text', String(JSON.stringify(value)).slice(0, 100));
}

export function asList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ParseError(where, 'a list', String(JSON.stringify(value)).slice(0, 100));
}
