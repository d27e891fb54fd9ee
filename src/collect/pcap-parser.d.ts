declare module 'pcap-parser' {
  const parser: { parse(input: unknown): unknown };
  export default parser;
}
