/** Ports above 1023 that servers are known to listen on (IANA, and the defaults of common software). */
const SERVERS = new Set([
  1080, 1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3000, 3128, 3268, 3306, 3389, 4222, 4369, 5000,
  5060, 5222, 5432, 5601, 5671, 5672, 5900, 5984, 6379, 6443, 6667, 7000, 7001, 7077, 8000, 8008, 8080, 8081,
  8086, 8123, 8443, 8500, 8883, 8888, 9000, 9042, 9090, 9092, 9093, 9200, 9300, 9418, 10250, 11211, 15672,
  25565, 26257, 27017, 50051,
]);

const isServerPort = (port: number): boolean => port < 1024 || SERVERS.has(port);

/** Whether the sender of a packet without SYN is rather the server, by the ports alone. */
export function senderIsServer(sourcePort: number, targetPort: number): boolean {
  const source = isServerPort(sourcePort);
  const target = isServerPort(targetPort);
  return source === target ? source && sourcePort < targetPort : source;
}
