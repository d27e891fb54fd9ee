// Counts the packets of a capture with the npm package pcap-parser: a row of the benchmark.
import parser from 'pcap-parser';

const path = process.argv[2] ?? '';
let packets = 0;
const reader = parser.parse(path) as NodeJS.EventEmitter;
reader.on('packet', () => {
  packets++;
});
reader.on('end', () => process.stdout.write(`${packets}\n`));
