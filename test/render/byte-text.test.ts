import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteText, fixedText } from '../../src/render/byte-text.js';
import { jsonText } from '../../src/render/json-text.js';
import { RepeatedField } from '../../src/render/repeated-field.js';

const textOf = (write: (out: ByteText) => void): string => {
  const out = new ByteText();
  write(out);
  return Buffer.from(out.written()).toString();
};

describe('ByteText', () => {
  it.each([0, -0, 7, 10, 99, 100, 999, 1000, 1001, 999_999, 1_000_000, 2 ** 31 - 1, 2 ** 31, -1, 0.5])(
    'number %d',
    (value) => {
      expect(textOf((out) => out.number(value))).toBe(JSON.stringify(value));
    },
  );

  it.each([
    0, 1, 10, 999, 1000, 1_000_000, 1_500_000, 123_456_789, 999_999_999_999_999, 1e15, 1e300, -1, -0.2,
  ])('%d ns in ms', (nanos) => {
    expect(textOf((out) => out.millis(nanos))).toBe(JSON.stringify(Math.round(nanos) / 1e6));
  });

  it('tells any duration below 11 days as a double would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), (nanos) => {
        expect(textOf((out) => out.millis(nanos))).toBe(JSON.stringify(nanos / 1e6));
      }),
      { numRuns: 5000 },
    );
  });

  it('writes whatever a string holds as jsonText does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(textOf((out) => out.string(text))).toBe(jsonText(text));
      }),
    );
    expect(textOf((out) => out.string('\x1b]0;\u202e\ud800"'))).toBe('"\\u001b]0;\\u202e\\ud800\\""');
  });

  it('ends objects and lists in place of their last comma', () => {
    const open = fixedText('{');
    const list = (count: number) =>
      textOf((out) => {
        out.fixed(open);
        for (let index = 0; index < count; index++) {
          out.number(index, fixedText(`"${index}":`));
          out.comma();
        }
        out.close('}');
      });
    expect([list(0), list(1), list(2)]).toEqual(['{}', '{"0":0}', '{"0":0,"1":1}']);
    expect(textOf((out) => out.fields({}))).toBe('');
    expect(textOf((out) => out.fields({ a: 1, b: 'é' }))).toBe(',"a":1,"b":"é"');
  });

  it('grows as far as it must, and is used again', () => {
    const out = new ByteText();
    const long = 'x'.repeat(100_000);
    for (let index = 0; index < 10; index++) out.text(long);
    out.fixed(fixedText('end'));
    expect(Buffer.from(out.written()).toString()).toBe(`${long.repeat(10)}end`);
    out.clear();
    expect(out.length).toBe(0);
    out.text('again');
    expect(Buffer.from(out.written()).toString()).toBe('again');
  });
});

describe('RepeatedField', () => {
  it('writes every text, the first time and after others that have its place', () => {
    const text = fc.oneof(fc.constantFrom('tcp', 'client', '', '"', '\u202e'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
        const field = new RepeatedField('"name":', ',');
        const written = textOf((out) => {
          for (const one of texts) field.write(out, one);
        });
        expect(written).toBe(texts.map((one) => `"name":${jsonText(one)},`).join(''));
      }),
    );
  });
});
